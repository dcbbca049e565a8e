import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { settingsOfChart } from '../../scripts/chart-schema.ts';
import { type Role, readSettings, settingsSchema } from '../../src/contracts/settings.ts';
import {
  BUILT_IN_QUEUES,
  CALLBACK_TASK_QUEUE,
  taskQueueOf,
  WORKFLOW_TASK_QUEUE,
} from '../../src/contracts/tasks/task-queues.ts';
import { BUILD_TIMEOUT_MS, goTool, HAS_GO } from '../world/go-tools.ts';
import { commandsOf } from '../world/page-commands.ts';
import { describeWith } from '../world/required-programs.ts';
import { CHART, type Container, environmentOf, type Manifest, type Pod, podsOf, render, run, VALUES } from './chart.ts';
import { conformance, VERSIONS, writeSchemas } from './kubeconform.ts';
import { isMounted, SECRETS_OF, secretsIn, workloadFaults } from './rules.ts';
import { SECRETS, SETTINGS } from './samples.ts';

const read = (path: string) => readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

/** Values that turn on what the files leave off. */
const EVERYTHING = [
  `settings=${JSON.stringify(SETTINGS)}`,
  'bridge.enabled=true',
  'monitoring.enabled=true',
  'ingress={"enabled":true,"host":"hapax.example","className":"nginx","tlsSecret":"certificate"}',
  'temporal={"address":"temporal.example:7233","namespace":"hapax","tlsSecret":"temporal","clientCertificate":true,"apiKey":true}',
  'tasks={"image":{"reference":"registry.example/tasks:1"}}',
  'files={"configMap":{"name":"hapax-files"}}',
  'home={"persistentVolumeClaim":{"claimName":"documents"}}',
  'secrets.from={"DATABASE_URL":{"name":"hapax-db-app","key":"uri"}}',
  `image={"repository":"registry.example/hapax","digest":"sha256:${'a'.repeat(64)}","pullSecrets":["registry"]}`,
];
const COMBINATIONS: Array<{ name: string; files: readonly string[]; set: string[] }> = [
  { name: 'the defaults', files: [], set: [] },
  ...VALUES.map((name) => ({ name, files: [name], set: [] })),
  { name: 'everything', files: ['high-availability'], set: EVERYTHING },
  { name: 'everything in a sidecar', files: ['sidecar'], set: EVERYTHING },
  { name: 'an HPA on our metric', files: ['high-availability'], set: ['scaling="prometheus"'] },
];

describeWith({ go: HAS_GO }, 'deploy/helm/hapax', () => {
  let helm: string;
  let kubeconform: string;
  let folder: string;
  beforeAll(async () => {
    // One after the other: they compile the same packages.
    kubeconform = await goTool('kubeconform');
    helm = await goTool('helm');
    folder = await mkdtemp(join(tmpdir(), 'hapax-schemas-'));
    await writeSchemas(folder);
  }, 2 * BUILD_TIMEOUT_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const conform = (text: string, version: string) => conformance(text, { kubeconform, folder, version });

  describe.each(COMBINATIONS)('with $name', ({ files, set }) => {
    let text: string;
    let manifests: Manifest[];
    let pods: Array<{ manifest: Manifest; pod: Pod }>;
    beforeAll(async () => {
      ({ text, manifests } = await render(helm, { files, set }));
      pods = podsOf(manifests);
    });

    it.each(VERSIONS)('is valid by the schemas of Kubernetes %s, to the last member', async (version) => {
      const rendered = await render(helm, { files, set, version });
      expect(await conform(rendered.text, version)).toEqual({
        resources: [],
        summary: { valid: rendered.manifests.length, invalid: 0, errors: 0, skipped: 0 },
      });
    });

    it('runs every container with no more rights than it needs', () => {
      expect(pods.flatMap(({ manifest, pod }) => workloadFaults(manifest, pod))).toEqual([]);
    });

    it('gives each process settings that it starts with, and no secret that is not its own', () => {
      for (const { manifest, pod } of pods) {
        for (const container of pod.containers) {
          const role = container.args.at(-1) as Role;
          expect(container.args).toEqual(role === 'migrate' ? ['migrate'] : ['serve', role]);
          const where = `${manifest.metadata.name} ${container.name}`;
          const environment = environmentOf(container, SECRETS);
          environment.GITHUB_REPO ??= 'octocat/fedora-images';
          for (const name of Object.keys(environment)) expect(settingsSchema.shape, where).toHaveProperty(name);
          expect(() => readSettings(environment, role), where).not.toThrow();
          expect(secretsIn(container), where).toEqual(SECRETS_OF[role as keyof typeof SECRETS_OF]);
          for (const [name, value] of Object.entries(environment))
            if (value.startsWith('/')) expect(isMounted(container, value), `${where} ${name}`).toBe(true);
        }
      }
    });

    it('probes the routes of each process, on the port that it serves them', () => {
      for (const { manifest, pod } of pods.filter(({ manifest }) => manifest.kind === 'Deployment')) {
        for (const { name, ports = [], env, ...container } of pod.containers) {
          const value = (variable: string) => env.find((one) => one.name === variable)?.value;
          const port = ports.find(
            (one) => String(one.containerPort) === value(name === 'api' ? 'PORT' : 'METRICS_PORT'),
          );
          const at = (path: string) => expect.objectContaining({ httpGet: { path, port: port?.name } });
          // An API without Temporal still reads and dispatches directly, so it stays in the service.
          const isApi = name === 'api';
          expect(container, `${manifest.metadata.name} ${name}`).toMatchObject({
            startupProbe: at(isApi ? '/health/ready' : '/health/live'),
            livenessProbe: at('/health/live'),
            readinessProbe: at(isApi ? '/health/live' : '/health/ready'),
          });
        }
      }
    });

    it('selects what it means', () => {
      const labels = pods.map(({ manifest }) => manifest.spec.template.metadata.labels as Record<string, string>);
      const isSelected = (selector: Record<string, string>) => (of: Record<string, string>) =>
        Object.entries(selector).every(([name, value]) => of[name] === value);
      for (const { kind, metadata, spec } of manifests) {
        const selector = {
          Service: spec.selector,
          Deployment: spec.selector?.matchLabels,
          PodDisruptionBudget: spec.selector?.matchLabels,
          NetworkPolicy: spec.podSelector?.matchLabels,
        }[kind];
        if (selector) expect(labels.filter(isSelected(selector)), `${kind} ${metadata.name}`).not.toEqual([]);
        if (kind === 'ServiceMonitor') {
          const services = manifests.filter((one) => one.kind === 'Service');
          const chosen = services.filter((one) => isSelected(spec.selector.matchLabels)(one.metadata.labels));
          expect(chosen.map((one) => one.spec.ports.map((port: { name: string }) => port.name))).toEqual([
            spec.endpoints.map((endpoint: { port: string }) => endpoint.port),
          ]);
        }
        const scaled = spec.scaleTargetRef;
        if (scaled) expect(pods.map(({ manifest }) => manifest.metadata.name)).toContain(scaled.name);
      }
      // Every pod has a policy, and every Deployment a budget of its own.
      const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
      for (const of of labels)
        expect(policies.filter(({ spec }) => isSelected(spec.podSelector.matchLabels)(of))).toHaveLength(1);
      const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget');
      expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(
        manifests
          .filter(({ kind }) => kind === 'Deployment')
          .map(({ metadata }) => metadata.name)
          .sort(),
      );
    });

    it('holds no secret', () => {
      for (const value of ['0123456789abcdef', 'a-token', 'BEGIN RSA']) expect(text).not.toContain(value);
      expect(manifests.map(({ kind }) => kind)).not.toContain('Secret');
    });
  });

  it('would be refused with a mistake in it', async () => {
    const { text } = await render(helm, { files: ['high-availability'] });
    const mistakes: Array<[fault: RegExp, from: string, to: string]> = [
      [/livenesProbe/, 'livenessProbe:', 'livenesProbe:'],
      [/minReplicas.*got string/, 'minReplicas: 3', 'minReplicas: three'],
      [/'select' not allowed/, '  selector:\n    matchLabels', '  select:\n    matchLabels'],
      [/pollInterval/, 'pollingInterval:', 'pollInterval:'],
      [/trigger/, '  triggers:\n', '  triggerz:\n'],
      [/credentialz/, 'credentials: {', 'credentialz: {'],
    ];
    for (const [fault, from, to] of mistakes) {
      expect(text).toContain(from);
      const { resources, summary } = await conform(text.replace(from, to), '1.37.2');
      expect(summary.invalid, to).toBeGreaterThan(0);
      expect(JSON.stringify(resources)).toMatch(fault);
    }
  });

  it('passes the linter of Helm', async () => {
    expect(await run(helm, ['lint', '--strict', CHART])).toContain('0 chart(s) failed');
    const chart = parse(await read('deploy/helm/hapax/Chart.yaml'));
    expect(chart).toMatchObject({ version: packageJson.version, appVersion: packageJson.version });
  });

  it('takes every setting, and gives it to the processes', async () => {
    const { plain, secrets } = settingsOfChart();
    expect(Object.keys(SETTINGS).sort()).toEqual(plain.toSorted());
    expect(Object.keys(SECRETS).sort()).toEqual(secrets.toSorted());
    expect(
      [...SECRETS_OF.api, ...SECRETS_OF.worker, ...SECRETS_OF.bridge].filter((name) => !secrets.includes(name)),
    ).toEqual([]);
    expect(secrets.filter((name) => !Object.values(SECRETS_OF).some((own) => own.includes(name)))).toEqual([]);
    const { manifests } = await render(helm, { set: EVERYTHING });
    const containers = podsOf(manifests).flatMap(({ pod }) => pod.containers);
    const environment = (role: string) => environmentOf(containers.find(({ args }) => args.at(-1) === role)!, SECRETS);
    for (const [name, value] of Object.entries(SETTINGS)) expect(environment('worker')[name], name).toBe(String(value));
    expect(readSettings(environment('worker'), 'worker')).toMatchObject({
      YOUTUBE_DAILY_QUOTA: 10_000_000,
      HAPAX_TASKS: '/etc/hapax/tasks',
      HAPAX_HOME: '/var/lib/hapax',
      CHECKPOINT_DIR: '/var/lib/hapax/checkpoints',
      CHECKPOINT_KEY: SECRETS.CHECKPOINT_KEY,
      TEMPORAL_TLS_CA: '/etc/hapax/temporal/ca.crt',
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      DATABASE_ROLE: '',
    });
    // What another setting of the same process would be needed for is left out.
    const kept = (role: string) => Object.keys(SETTINGS).filter((name) => !(name in environment(role)));
    expect(kept('api').every((name) => /^(S3|CHECKPOINT)_/.test(name))).toBe(true);
    expect(
      kept('bridge').every((name) =>
        /^(GITHUB_APP_ID$|CONTENT_STORE$|(S3|CHECKPOINT|EMBEDDING|SUMMARY|SURREALDB)_)/.test(name),
      ),
    ).toBe(true);
    const database = containers.find(({ name }) => name === 'api')!.env.find(({ name }) => name === 'DATABASE_URL');
    expect(database?.valueFrom?.secretKeyRef).toEqual({ name: 'hapax-db-app', key: 'uri', optional: false });
  });

  it.each([
    ['a secret', 'settings.GITHUB_TOKEN="ghp_x"', /GITHUB_TOKEN/],
    ['a misspelt setting', 'settings.GITHUB_REPOS="a/b"', /GITHUB_REPOS/],
    ['what the chart sets', 'settings.PORT=80', /PORT/],
    ['a version of workers', 'settings.TEMPORAL_WORKER_BUILD_ID="2"', /TEMPORAL_WORKER_BUILD_ID/],
    ['a misspelt value', 'netwrkPolicy={}', /netwrkPolicy/],
    ['a worker without queues', 'workers.mine={"minReplicas":1}', /queues/],
    ['a list where a number is meant', 'api.minReplicas=[1]', /minReplicas/],
    [
      'fewer APIs at most than at least',
      'api.minReplicas=11',
      /api: minReplicas \(11\) is more than maxReplicas \(10\)/,
    ],
    [
      'fewer workers at most than at least',
      'workers.search={"queues":"search","minReplicas":3,"maxReplicas":2,"backlog":1}',
      /workers\.search: minReplicas \(3\) is more than maxReplicas \(2\)/,
    ],
    ['a CA that KEDA would not use', 'temporal.tlsSecret="certs"', /clientCertificate: KEDA reads the CA/],
    ['an address without port', 'temporal.address="temporal"', /address/],
    ['a second address without port', 'temporal.address="one:7233,two"', /address/],
  ])('refuses %s among the values', async (_, set, fault) => {
    await expect(render(helm, { set: [set] })).rejects.toThrow(fault);
  });

  it('scales the API from 3 to 10, and the workers of each queue from 2 to 20 by what waits', async () => {
    const { manifests } = await render(helm);
    const api = manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
    expect(api.map(({ spec }) => [spec.scaleTargetRef.name, spec.minReplicas, spec.maxReplicas])).toEqual([
      ['hapax-api', 3, 10],
    ]);
    const scaled = manifests.filter(({ kind }) => kind === 'ScaledObject');
    expect(
      scaled.map(({ spec }) => [spec.scaleTargetRef.name, spec.minReplicaCount, spec.maxReplicaCount]).sort(),
    ).toEqual(['content', 'search', 'workflows', 'youtube'].map((name) => [`hapax-worker-${name}`, 2, 20]));
    const triggers = scaled.flatMap(({ spec }) => spec.triggers as Array<{ metadata: Record<string, string> }>);
    const ofQueues = BUILT_IN_QUEUES.map((queue) => [taskQueueOf(queue), 'activity']);
    expect(triggers.map(({ metadata }) => [metadata.taskQueue, metadata.queueTypes]).sort()).toEqual(
      [...ofQueues, [WORKFLOW_TASK_QUEUE, 'workflow,activity'], [CALLBACK_TASK_QUEUE, 'activity']].sort(),
    );
    for (const { metadata } of triggers)
      expect(metadata).toMatchObject({
        endpoint: 'temporal-frontend.temporal:7233',
        namespace: 'hapax',
        targetQueueSize: '10',
      });
    // The autoscaler sets them: a number here would undo it with every upgrade.
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
    expect(deployments.map(({ spec }) => spec.replicas)).toEqual(deployments.map(() => undefined));
  });

  it('serves own queues as their workers say, and scales those that have a name', async () => {
    const set = [
      'workers.mine={"queues":"mine:2@10/m,*","minReplicas":1,"maxReplicas":5,"backlog":3,"settings":{"TASK_MAX_RETRIES":1}}',
    ];
    const { manifests } = await render(helm, { set });
    const scaled = manifests.find(
      ({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === 'hapax-worker-mine',
    );
    expect(scaled?.spec.triggers.map((one: { metadata: { taskQueue: string } }) => one.metadata.taskQueue)).toEqual([
      'hapax-mine',
    ]);
    const [worker] = podsOf(manifests).find(({ manifest }) => manifest.metadata.name === 'hapax-worker-mine')!.pod
      .containers;
    expect(readSettings(environmentOf(worker!, SECRETS), 'worker')).toMatchObject({
      WORKER_QUEUES: new Map([
        ['mine', { concurrency: 2, perSecond: 10 / 60 }],
        ['*', { concurrency: undefined, perSecond: undefined }],
      ]),
      TASK_MAX_RETRIES: 1,
    });
  });

  it('lets the settings of a process go before those of all, also those that turn something off', async () => {
    const all = '{"CONSOLE_READ_ONLY":true,"TASK_MAX_RETRIES":3}';
    const set = [`settings=${all}`, 'api.settings.CONSOLE_READ_ONLY=false', 'worker.settings.TASK_MAX_RETRIES=0'];
    const { manifests } = await render(helm, { set: [...set, 'workers.search.settings={"TASK_MAX_RETRIES":1}'] });
    const settings = podsOf(manifests).map(({ manifest, pod }) => {
      const { CONSOLE_READ_ONLY, TASK_MAX_RETRIES } = environmentOf(pod.containers[0]!, SECRETS);
      return [manifest.metadata.name, CONSOLE_READ_ONLY, TASK_MAX_RETRIES];
    });
    expect(settings).toContainEqual(['hapax-api', 'false', '3']);
    expect(settings).toContainEqual(['hapax-worker-youtube', 'true', '0']);
    expect(settings).toContainEqual(['hapax-worker-search', 'true', '1']);
  });

  it('tells KEDA how to reach Temporal Cloud, and a server with certificates', async () => {
    const trigger = async (...set: string[]) => {
      const { manifests } = await render(helm, { set });
      const authentication = manifests.find(({ kind }) => kind === 'TriggerAuthentication');
      const [first] = manifests.find(({ kind }) => kind === 'ScaledObject')!.spec.triggers;
      expect(first.authenticationRef?.name).toBe(authentication?.metadata.name);
      return authentication?.spec.secretTargetRef;
    };
    expect(await trigger()).toBeUndefined();
    expect(await trigger('temporal.apiKey=true')).toEqual([
      { parameter: 'apiKey', name: 'hapax', key: 'TEMPORAL_API_KEY' },
    ]);
    expect(await trigger('temporal.tlsSecret="certs"', 'temporal.clientCertificate=true')).toEqual([
      { parameter: 'ca', name: 'certs', key: 'ca.crt' },
      { parameter: 'cert', name: 'certs', key: 'tls.crt' },
      { parameter: 'key', name: 'certs', key: 'tls.key' },
    ]);
  });

  it('gives several frontends of Temporal to the processes, and the first to KEDA with the name of their certificate', async () => {
    const told = { TEMPORAL_ADDRESS: 'one:7233,two:7234', TEMPORAL_TLS_SERVER_NAME: 'temporal' };
    const set = ['temporal.address="one:7233,two:7234"', 'settings.TEMPORAL_TLS_SERVER_NAME="temporal"'];
    const { manifests } = await render(helm, { set: [...set, 'temporal.apiKey=true'] });
    for (const { pod } of podsOf(manifests)) expect(environmentOf(pod.containers[0]!, SECRETS)).toMatchObject(told);
    for (const { spec } of manifests.filter(({ kind }) => kind === 'ScaledObject'))
      for (const { metadata } of spec.triggers)
        expect(metadata).toMatchObject({ endpoint: 'one:7233', tlsServerName: 'temporal' });
  });

  it('scales by our own metric where there is no KEDA', async () => {
    const { manifests } = await render(helm, { set: ['scaling="prometheus"'] });
    const metrics = manifests
      .filter(({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name !== 'hapax-api')
      .flatMap(({ spec }) => spec.metrics.map((one: { external: { metric: object } }) => one.external.metric));
    expect(metrics).toEqual(
      ['content', 'search', 'builds', 'youtube'].map((queue) => ({
        name: 'hapax_queue_depth',
        selector: { matchLabels: { queue } },
      })),
    );
    expect(await read('src/processes/metrics.ts')).toContain("'hapax_queue_depth'");
  });

  it('has the alerts of deploy/monitoring, and no copy of them', async () => {
    const { manifests } = await render(helm, { files: ['high-availability'] });
    const rule = manifests.find(({ kind }) => kind === 'PrometheusRule');
    expect(rule?.spec).toEqual(parse(await read('deploy/monitoring/alerts.yaml')));
    expect(rule?.spec.groups[0].rules.length).toBeGreaterThan(10);
  });

  it('takes the values that docs/kubernetes.md shows, with the commands that it has people paste', async () => {
    const page = await read('docs/kubernetes.md');
    const shown = [...page.matchAll(/^( *)```yaml\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) =>
      block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    );
    const values = shown.filter((block) => !block.startsWith('rules:'));
    expect(values).toHaveLength(3);
    const files = await Promise.all(
      values.map(async (block, index) => {
        const file = join(folder, `${index}.yaml`);
        await writeFile(file, block);
        return file;
      }),
    );
    const commands = commandsOf('docs/kubernetes.md').filter(({ command }) => command.includes('deploy/helm/hapax'));
    expect(commands.length).toBeGreaterThan(1);
    for (const { command } of commands) {
      const args = command.replace(/^helm upgrade --install/, 'template').split(' ');
      const asked = args.flatMap((arg) => (arg === 'my-values.yaml' ? files.join(',') : arg));
      const rendered = await run(helm, [...asked, '--kube-version', '1.37.2']);
      expect(rendered).toContain('value: "reports:2"');
      expect(rendered).toContain('10.2.0.7/32');
    }
  });

  it('migrates before anything else, with a login that no other process gets', async () => {
    const { manifests } = await render(helm);
    const job = manifests.find(({ kind }) => kind === 'Job')!;
    expect(job.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
    const [container] = job.spec.template.spec.containers as Container[];
    expect(container!.env.find(({ name }) => name === 'DATABASE_URL')?.valueFrom?.secretKeyRef.name).toBe(
      'hapax-owner',
    );
    for (const { manifest, pod } of podsOf(manifests))
      if (manifest !== job) expect(JSON.stringify(pod)).not.toContain('hapax-owner');
  });
});
