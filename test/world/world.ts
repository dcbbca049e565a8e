import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Client, Connection } from '@temporalio/client';
import pino from 'pino';
import { inject } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { readSettings, type Settings } from '../../src/contracts/settings.ts';
import type { Tracing } from '../../src/contracts/tracing/tracing.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { startParts } from '../../src/processes/parts.ts';
import { registerSearchAttributes } from '../../src/processes/search-attributes.ts';
import { connectTemporal } from '../../src/processes/temporal.ts';
import { startGitHubSimulator } from '../../src/simulator/github.ts';
import type { Db } from '../../src/store/database.ts';
import { remote } from '../simulator/harness.ts';
import { DATABASES, type DatabaseKind, openTestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import './temporal-runtime.ts';

export { DATABASES, type DatabaseKind, openTestDatabase };

/** Settings under which nothing takes long. */
const FAST = {
  PORT: '0',
  LOG_LEVEL: 'fatal',
  GITHUB_TOKEN: 'test-token',
  GITHUB_REPO: 'acme/images',
  GITHUB_POLL_INTERVAL: '100ms',
  GITHUB_REQUEST_TIMEOUT: '2s',
  GITHUB_WRITE_INTERVAL: '0',
  RECONCILE_WINDOW: '600ms',
  DEDUP_WINDOW: '60s',
  QUEUE_RETRY_DELAY: '100ms',
  WORKER_CONCURRENCY: '8',
} satisfies Partial<Record<keyof Settings, string>>;

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A Temporal namespace of the test's own, with our search attributes. */
export async function openNamespace(): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await eventually(() => registerSearchAttributes(connection, namespace));
  await connection.close();
  return namespace;
}

/** The whole product in this process on real parts: API, worker, Temporal, Postgres, and the simulated GitHub. */
export async function openWorld(
  kind: DatabaseKind,
  given: Partial<Record<keyof Settings, string>> = {},
  handlers: Partial<TaskHandlers> = {},
  tracing?: Tracing,
) {
  const simulator = await startGitHubSimulator({
    settings: { queued_for_ms: 20, running_for_ms: 60, rate_limit: 1_000_000 },
  });
  const database = await openTestDatabase(kind);
  const namespace = await openNamespace();
  const settings = readSettings({
    ...FAST,
    GITHUB_API_URL: simulator.url,
    TEMPORAL_NAMESPACE: namespace,
    HAPAX_HOME: join(inject('runDirectory'), namespace),
    ...given,
  });
  const target = { ...settings, address: inject('temporalAddress'), tracing };
  const metrics = createMetrics(database.db);
  const log = pino({ level: settings.LOG_LEVEL });
  const { connection, client } = await connectTemporal(target);
  const ground = {
    ...{ settings, db: database.db, client, metrics, tracing, log, say() {}, handlers },
    pauses: { pingMs: 200, awayMs: 200, settingsMs: 200, faultyMs: 200 },
  };
  /** As in `hapax up`, where API and worker share what they know of GitHub. */
  const parts = await startParts({ ...ground, connection }, ['api', 'worker']);
  const workers = [parts.worker!];
  /** As in a process of its own, which shares nothing with another but the servers. */
  const startWorker = async (other: Partial<Settings> = {}) => {
    // One of several cannot share the client's connection, over which a worker is handed first tasks.
    const isAlone = workers.length === 0 && Object.keys(other).length === 0;
    const own = isAlone ? undefined : await connectTemporal({ ...target, ...other });
    const more = await startParts({ ...ground, settings: { ...settings, ...other }, ...(own ?? { connection }) }, [
      'worker',
    ]);
    workers.push({
      async close() {
        await more.close();
        await own?.connection.close();
      },
    });
  };
  const stopWorkers = async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
  };
  const { url, flowerUrl } = parts.urls!;
  return {
    ...callers(url),
    url,
    flowerUrl,
    client: client as Client,
    db: database.db as Db,
    databaseUrl: database.url,
    namespace,
    github: remote(simulator),
    simulator,
    /** Stops all workers there are. */
    stopWorker: stopWorkers,
    /** Starts a worker, or one more; with settings of its own, if some are given. */
    startWorker,
    /** Forgets what GitHub's rate limits told, which all workers heed. */
    async liftLimits() {
      await database.db`UPDATE github_writes SET limited_until = 'epoch'`;
    },
    async close() {
      await parts.close();
      await stopWorkers();
      await connection.close();
      await database.close();
      await simulator.close();
    },
  };
}

/** The HTTP API as a client sees it. */
export function callers(url: string) {
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever its form.
    const json = (/json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined) as any;
    return { status: response.status, headers: response.headers, text, json };
  }
  return {
    call,
    trigger: (body: object = {}, key?: string) =>
      call('POST', '/builds/trigger', body, key === undefined ? {} : { 'idempotency-key': key }),
    async build(id: number): Promise<BuildView> {
      return (await call('GET', `/builds/${id}`)).json;
    },
    /** The build once it has ended. */
    async ended(id: number, timeoutMs = 150_000): Promise<BuildView> {
      return eventually(async () => {
        const { json } = await call('GET', `/builds/${id}`);
        if (json?.completed_at == null)
          throw new Error(`build ${id} has not ended: ${JSON.stringify(json?.events?.at(-1) ?? json)}`);
        return json as BuildView;
      }, timeoutMs);
    },
  };
}
