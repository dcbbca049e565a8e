import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { onTestFinished } from 'vitest';
import { Program, startGitHub } from '../end-to-end/program.ts';
import { makeCertificates, SERVER_NAME } from '../world/certificates.ts';
import { ENTRY } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { startPostgresServer } from '../world/postgres-server.ts';
import { startRabbitMq } from '../world/rabbitmq-server.ts';
import { steadyPort } from '../world/steady-port.ts';
import { makeVersionCurrent } from '../world/worker-version.ts';
import { callers } from '../world/world.ts';
import { startTemporalCluster } from './temporal-cluster.ts';

const SECRET = 'a-secret-of-the-cluster-test';
export const TASK = 'stamp';

/** A task that leaves a mark where no part of Hapax looks. */
const MODULE = `
import { appendFileSync } from 'node:fs';
import { defineTask, z } from 'hapax/tasks';

export const ${TASK} = defineTask({
  name: '${TASK}',
  queue: 'stamps',
  arguments: z.object({ file: z.string(), mark: z.string() }),
  run({ file, mark }) {
    appendFileSync(file, mark + '\\n');
    return mark;
  },
});
`;

/** A process of Hapax, or a node: what can be lost and come back. */
export interface Part {
  name: string;
  start(): void;
  kill(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  readonly output: string;
}

/** Where what a process of Hapax writes goes, and what it is. */
interface Given {
  name: string;
  args: string[];
  environment: Record<string, string>;
  /** Default: a file of its own. */
  log?: string;
}

/** What Linux has for a file on a full disk. */
const FULL_DISK = '/dev/full';

/**
 * A cloud installation, all of it started: Temporal of three nodes, Postgres, RabbitMQ, GitHub, three APIs, four workers, a bridge.
 * @param repositories how many have a configuration
 */
export async function openInstallation(home: string, repositories: number) {
  const certificates = await makeCertificates(home);
  const github = await startGitHub(home);
  const database = await startPostgresServer();
  onTestFinished(() => database.close());
  const { host: postgresAt } = new URL(database.url);
  const rabbit = await startRabbitMq();
  onTestFinished(() => rabbit.close());
  const cluster = await startTemporalCluster(home, postgresAt, certificates);
  onTestFinished(() => cluster.close());
  const sql = postgres(database.url, { max: 1, onnotice() {} });
  await sql`CREATE DATABASE hapax`;
  await sql.end();
  await mkdir(join(home, 'tasks'));
  await writeFile(join(home, 'tasks', 'stamp.ts'), MODULE);

  const ports = [await steadyPort(), await steadyPort(), await steadyPort()];
  const environment = {
    DEPLOYMENT_MODE: 'cloud',
    API_KEYS: `test=${SECRET}`,
    DATABASE_URL: database.url.replace(/\/postgres$/, '/hapax'),
    TEMPORAL_ADDRESS: cluster.nodes.map(({ address }) => address).join(','),
    TEMPORAL_NAMESPACE: cluster.namespace,
    TEMPORAL_TLS_CA: certificates.ca,
    TEMPORAL_TLS_CERT: certificates.client.cert,
    TEMPORAL_TLS_KEY: certificates.client.key,
    TEMPORAL_TLS_SERVER_NAME: SERVER_NAME,
    AMQP_URL: rabbit.url,
    HAPAX_TASKS: join(home, 'tasks'),
    HAPAX_HOME: join(home, 'hapax'),
    GITHUB_TOKEN: 'test-token',
    GITHUB_REPO: 'acme/images',
    GITHUB_API_URL: github.url,
    GITHUB_POLL_INTERVAL: '1s',
    GITHUB_REQUEST_TIMEOUT: '5s',
    GITHUB_WRITE_INTERVAL: '0',
    QUEUE_RETRY_DELAY: '1s',
    RECONCILE_WINDOW: '2s',
    DEDUP_WINDOW: '1h',
  };
  const command = (...args: string[]) =>
    promisify(execFile)(process.execPath, [ENTRY, ...args], {
      env: { ...process.env, HAPAX_ENV_FILE: '', ...environment },
    });
  await command('migrate');
  const part = ({ name, args, environment: own, log = join(home, `${name}.log`) }: Given): Part => {
    let program: Program | undefined;
    onTestFinished(() => program?.kill());
    return {
      name,
      start() {
        program = new Program(process.execPath, [ENTRY, ...args], { ...environment, ...own }, log);
      },
      kill: async () => program?.kill(),
      async stop() {
        program?.signal('SIGTERM');
        await program?.ended;
      },
      get output() {
        return log === FULL_DISK ? '' : (program?.output ?? '');
      },
    };
  };
  const apis = ports.map((port, index) =>
    part({ name: `api-${index + 1}`, args: ['serve', 'api'], environment: { PORT: String(port) } }),
  );
  const workersOf = (version: number) =>
    [1, 2, 3, 4].map((n) =>
      part({
        ...{ name: `worker-${n} of version ${version}`, args: ['serve', 'worker'] },
        environment: { TEMPORAL_WORKER_BUILD_ID: String(version) },
        // All the time, the last one cannot write its log.
        ...(n === 4 ? { log: FULL_DISK } : {}),
      }),
    );
  let version = 1;
  const workers = workersOf(version);
  const bridge = part({ name: 'bridge', args: ['serve', 'bridge'], environment: {} });
  const parts = [...apis, ...workers, bridge];
  for (const one of parts) one.start();

  const connection = await cluster.connect();
  onTestFinished(() => connection.close());
  const makeCurrent = () => makeVersionCurrent(connection.workflowService, cluster.namespace, String(version));
  await makeCurrent();

  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const api = callers(urls[0]!);
  const asked = (method: string, path: string, body?: unknown) =>
    eventually(async () => {
      const answer = await api.call(method, path, body, { authorization: `Bearer ${SECRET}` });
      if (answer.status >= 500) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer;
    });
  await eventually(async () => {
    for (const url of urls) {
      const { status } = await callers(url).call('GET', '/health/ready');
      if (status !== 200)
        throw new Error(`${url} is not ready: ${parts.map(({ output }) => output.slice(-300)).join('\n')}`);
    }
    if (!JSON.stringify((await asked('GET', '/task-types')).json).includes(TASK)) throw new Error(`no ${TASK} yet`);
  }, 300_000);
  const configs = Array.from({ length: repositories }, (_, n) => `images-${n}`);
  for (const name of configs) {
    const { status, text } = await asked('PUT', `/configs/by-name/${name}`, {
      repository: `acme/${name}`,
      workflow: 'build.yml',
    });
    if (status >= 300) throw new Error(`${name}: ${status} ${text}`);
  }
  return {
    ...{ home, configs, github, database, rabbit, cluster, environment, apis, workers, bridge, parts, urls, asked },
    secret: SECRET,
    /** Runs a command of Hapax with the settings of the installation. @throws where it fails. */
    command,
    /** Replays what is open, as docs/upgrade.md says, then replaces the workers by those of another version. */
    async rollWorkers() {
      // Of its usual thousand, some: replaying takes the processor from all others here.
      await command('replay', '--limit', '100');
      version++;
      const next = workersOf(version);
      for (const worker of next) worker.start();
      await makeCurrent();
      const old = workers.splice(0, workers.length, ...next);
      await Promise.all(old.map((worker) => worker.stop()));
      return `version ${version}`;
    },
  };
}
export type Installation = Awaited<ReturnType<typeof openInstallation>>;
