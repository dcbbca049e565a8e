import type { Check } from '../../contracts/check.ts';
import type { Health } from '../../contracts/health.ts';
import { lineOf, type Patient } from './patient.ts';

/** Checks what the running API reports about itself. */
export async function checkApi({ settings, running }: Patient): Promise<Check[]> {
  const name = 'api';
  const url = running?.url ?? `http://${settings.HOST === '0.0.0.0' ? '127.0.0.1' : settings.HOST}:${settings.PORT}`;
  let health: Health;
  try {
    const [key] = settings.API_KEYS?.values() ?? [];
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`${url}/health`, { headers, signal: AbortSignal.timeout(5_000) });
    health = (await response.json()) as Health;
    if (!health.dependencies) throw new Error(`${url} does not respond like Hapax`);
  } catch (error) {
    const reason = lineOf((error as { cause?: unknown }).cause ?? error);
    if (running)
      return [
        {
          name,
          status: 'fault',
          detail: `${url} does not respond: ${reason}`,
          remedy: 'stop hapax up and start it again',
        },
      ];
    return [{ name, status: 'note', detail: `no API runs at ${url}`, remedy: 'start it with: hapax up' }];
  }
  const { dependencies, reconciliation, version } = health;
  const degraded = Object.entries(dependencies)
    .filter(([, it]) => it?.status === 'degraded')
    .map(([dependency, it]): Check => {
      const remedy = 'see docs/operations.md, "Is it healthy?"';
      return {
        name,
        status: 'fault',
        detail: `${dependency} is degraded: ${it?.detail ?? 'its log says why'}`,
        remedy,
      };
    });
  const unresolved = reconciliation?.unresolved ?? 0;
  const differs: Check[] =
    unresolved > 0
      ? [
          {
            name,
            status: 'fault',
            detail: `${unresolved} builds and tasks differ between record and Temporal`,
            remedy: 'run: hapax reconcile --dry-run',
          },
        ]
      : [];
  if (degraded.length + differs.length > 0) return [...degraded, ...differs];
  return [{ name, status: 'ok', detail: `${url}, version ${version}, all it needs is there` }];
}
