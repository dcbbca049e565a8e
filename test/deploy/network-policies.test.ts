import { beforeAll, expect, it } from 'vitest';
import { BUILD_TIMEOUT_MS, goTool, HAS_GO } from '../world/go-tools.ts';
import { describeWith } from '../world/required-programs.ts';
import { render } from './chart.ts';

interface Rule {
  ports: Array<{ port: number | string }>;
  from?: object[];
  to?: object[];
}

const peers = (app: string) => [{ podSelector: { matchLabels: { app } } }];

describeWith({ go: HAS_GO }, 'the network policies of the chart', () => {
  let helm: string;
  beforeAll(async () => {
    helm = await goTool('helm');
  }, BUILD_TIMEOUT_MS);

  async function rulesOf(direction: 'ingress' | 'egress', set: string[]): Promise<Record<string, Rule[]>> {
    const { manifests } = await render(helm, { set: ['bridge.enabled=true', ...set] });
    const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
    return Object.fromEntries(policies.map(({ metadata, spec }) => [metadata.name, spec[direction]]));
  }

  it('let processes connect only to what they need', async () => {
    const rules = await rulesOf('egress', []);
    const ports = Object.entries(rules).map(([name, own]) => [
      name,
      own.flatMap((rule) => rule.ports.map((to) => to.port)),
    ]);
    expect(Object.fromEntries(ports)).toEqual({
      'hapax-migrate': [53, 53, 5432, 7233],
      'hapax-api': [53, 53, 5432, 7233, 443],
      'hapax-worker': [53, 53, 5432, 7233, 443],
      'hapax-bridge': [53, 53, 5432, 7233, 443, 5671, 5672, 6379],
    });
    for (const rule of Object.values(rules).flat()) expect(rule.to?.length).toBeGreaterThan(0);
  });

  it.each([
    { api: [], metrics: [], http: 'everybody' },
    { api: [], metrics: ['prometheus'], http: 'everybody' },
    { api: ['proxy'], metrics: [], http: ['proxy'] },
    { api: ['proxy'], metrics: ['prometheus'], http: ['proxy', 'prometheus'] },
  ])('let in whom the values name: the API $api, metrics $metrics', async ({ api, metrics, http }) => {
    const from = { api: api.flatMap(peers), metrics: metrics.flatMap(peers) };
    for (const pattern of ['microservices', 'sidecar']) {
      const rules = await rulesOf('ingress', [`networkPolicy.from=${JSON.stringify(from)}`, `pattern="${pattern}"`]);
      const admitted = (port: string) => {
        // Without ports, a rule is for all of them; without peers, for everybody.
        const ofPort = Object.values(rules)
          .flat()
          .filter((rule) => !rule.ports || rule.ports.some((one) => one.port === port));
        expect(ofPort).not.toEqual([]);
        const open = ofPort.some((rule) => !rule.from);
        return open ? 'everybody' : ofPort.flatMap((rule) => rule.from);
      };
      expect(admitted('http'), pattern).toEqual(Array.isArray(http) ? http.flatMap(peers) : http);
      expect(admitted('metrics'), pattern).toEqual(metrics.length > 0 ? metrics.flatMap(peers) : 'everybody');
    }
  });
});
