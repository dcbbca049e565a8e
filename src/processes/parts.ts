import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createTaskHandlers } from '../activities/content-tasks.ts';
import { OwnTasks } from '../activities/own-tasks.ts';
import { builtInCode } from '../activities/task-code.ts';
import type { TaskHandlers } from '../activities/task-handlers.ts';
import { startApiServer } from '../api/server.ts';
import type { Settings } from '../contracts/settings.ts';
import { WORKFLOW_QUEUE } from '../contracts/tasks/task-queues.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { type DefinedTask, descriptionOf } from '../domain/tasks/define-task.ts';
import { builtInDescriptions } from '../domain/tasks/task-types.ts';
import { checkedFetch } from '../integrations/checked-fetch.ts';
import { postgresContent } from '../store/content/postgres-content.ts';
import type { Db } from '../store/database.ts';
import { createWorkers } from '../worker/workers.ts';
import { attestationVerifierOf } from './attestations.ts';
import { callbackSenderOf, sendToReceiverOf } from './callbacks.ts';
import { checkpointsOf } from './checkpoints.ts';
import { triggerDependencies } from './command-dependencies.ts';
import { connectContent } from './content.ts';
import { openContentStore } from './content-store.ts';
import { sweepContent } from './content-sweep.ts';
import { connectForges, connectGitHub, directDispatchOf, runListingOf, webhooksOf } from './github.ts';
import { type GitHubWatchOptions, watchGitHub } from './github-watch.ts';
import type { Metrics } from './metrics.ts';
import { peopleProviderOf, verifyTokenOf } from './oidc.ts';
import { loadOwnTasks, registrationOf, serveOwnTasks, watchOwnTasks } from './own-tasks.ts';
import { dataConverterOf, payloadDecoderOf } from './payload-codec.ts';
import { watchQueuePauses } from './queue-pauses.ts';
import { Registering } from './registration.ts';
import { retentionOf } from './retention.ts';
import { firingOf } from './scheduled.ts';
import { applySchedules } from './schedules.ts';
import { secretBoxOf } from './secret-box.ts';
import { never } from './start-wait.ts';
import { keepStrayRejections } from './stray-rejections.ts';
import { queuesOf } from './tasks.ts';
import { traceCode } from './trace-code.ts';
import { watchEnds } from './watch-ends.ts';

/** The parts of Hapax that a process can run; `hapax up` runs all three. */
export type Part = 'api' | 'worker' | 'bridge';

/** What parts build on; it outlives them. */
export interface Ground extends Pick<Partial<GitHubWatchOptions>, 'pauses'> {
  settings: Settings;
  db: Db;
  client: Client;
  /** The connection that the client uses too, so that a workflow can start on the worker beside it. The API alone needs none. */
  connection?: NativeConnection;
  metrics: Metrics;
  /** Omitted if nothing is traced. */
  tracing?: Tracing | undefined;
  log: Logger;
  /** Gets lines about GitHub that a person should read. */
  say: GitHubWatchOptions['say'];
  /** Whether to reload the user's own tasks when their files change. */
  watchTasks?: boolean;
  /** Handlers that replace the usual ones. */
  handlers?: Partial<TaskHandlers>;
}

/** Running parts. */
export interface RunningParts {
  /** Where the API listens, if it runs. */
  urls: { url: string; flowerUrl: string | undefined } | undefined;
  /** Stops only the worker; undefined if none runs. */
  worker: { close(): Promise<void> } | undefined;
  /** Resolves when a part ended by itself: with the reason if it broke, with undefined if the worker was told to shut down. */
  ended: Promise<Error | undefined>;
  /** Stops the parts: first those that accept work, then those that do it. */
  close(): Promise<void>;
}

/**
 * Starts the parts of a process. Every process and the tests use this; they only name different parts.
 * @throws if a part cannot start; then the others are stopped.
 */
export async function startParts(ground: Ground, parts: readonly Part[]): Promise<RunningParts> {
  const beside = parts.includes('worker');
  const outside = await openOutside(ground, parts);
  // Settled, not raced: if one fails, the others have to be stopped.
  const started = await Promise.allSettled([
    beside ? startWorker(ground, outside, parts.length === 1) : undefined,
    parts.includes('bridge') ? startBridge(ground, beside) : undefined,
    parts.includes('api') ? startApi(ground, outside, beside) : undefined,
  ]);
  const [worker, bridge, api] = started;
  const close = async () => {
    for (const part of [api, bridge, worker]) {
      if (part.status === 'fulfilled') await part.value?.close();
    }
    await soon(outside.close());
  };
  for (const part of started) {
    if (part.status === 'fulfilled') continue;
    await close();
    throw part.reason;
  }
  return {
    urls: value(api),
    worker: value(worker),
    ended: Promise.race([value(worker)?.ended ?? never, value(bridge)?.failed ?? never]),
    close,
  };
}

/** How long a process that stops waits for what it does beside its work. */
const STOPPING_MS = 3_000;

/** Waits until something has stopped, but not for ever: a database that does not respond keeps its queries. Closing it ends them. */
function soon(stopped: Promise<unknown>): Promise<unknown> {
  return Promise.race([stopped, delay(STOPPING_MS, undefined, { ref: false })]);
}

function value<T>(settled: PromiseSettledResult<T>): T | undefined {
  return settled.status === 'fulfilled' ? settled.value : undefined;
}

type Outside = Awaited<ReturnType<typeof openOutside>>;

/** Opens the services outside Hapax that API and worker share. */
async function openOutside({ settings, db, metrics, tracing, say, pauses }: Ground, parts: readonly Part[]) {
  const github = connectGitHub(settings, { metrics, tracing, db });
  const forges = connectForges(settings, github, { metrics, tracing, db });
  const isBridge = parts.every((part) => part === 'bridge');
  const store = isBridge ? postgresContent(db) : await openContentStore(settings, db);
  const content = connectContent(settings, store);
  const watch = isBridge ? undefined : watchGitHub({ settings, github, forges, say, ...(pauses ? { pauses } : {}) });
  return {
    forges,
    content,
    checkGitHub: async () => watch?.check(),
    async close() {
      await watch?.stop();
      await content.close();
    },
  };
}

async function startWorker(ground: Ground, { forges, content }: Outside, isAlone: boolean) {
  const { settings, client, db, metrics, tracing, log } = ground;
  const folder = await loadOwnTasks(settings.HAPAX_TASKS);
  const builtIn = builtInCode({ ...createTaskHandlers({ db, ...content, meter: metrics }), ...ground.handlers });
  const own =
    folder &&
    new OwnTasks(
      { db, fetch: checkedFetch({ allowedHosts: settings.TASK_ALLOWED_HOSTS }), secrets: secretBoxOf(settings) },
      builtIn,
    );
  const kept = own && keepStrayRejections(own, log);
  const code = kept?.code ?? builtIn;
  const sizes = queuesOf(
    settings,
    folder?.tasks.map((task) => descriptionOf(task).queue),
  );
  const workers = await createWorkers({
    connection: connectionOf(ground),
    namespace: settings.TEMPORAL_NAMESPACE,
    dataConverter: dataConverterOf(settings),
    tracing,
    db,
    forges,
    fire: firingOf(ground, directDispatchOf(forges, metrics)),
    retain: retentionOf(ground, content),
    checkpoints: checkpointsOf(settings),
    verifyAttestation: await attestationVerifierOf(settings),
    version: versionOf(settings),
    sender: callbackSenderOf(settings, tracing),
    code: tracing ? traceCode(code, tracing) : code,
    ...sizes,
    meter: watchEnds(metrics, ground),
    onShutdownOrder: isAlone
      ? () => {
          log.info('worker was told to shut down');
          workers.shutdown();
        }
      : undefined,
  });
  const pauses = await watchQueuePauses(ground, workers);
  const served = [...sizes.queues.keys()].filter((name) => name !== WORKFLOW_QUEUE);
  const { identity } = workers;
  const registering = new Registering(db, log);
  registering.add({ identity, runtime: 'built-in', queues: served, types: [...builtInDescriptions()] });
  const serve = async (tasks: DefinedTask[]) => {
    if (own) await serveOwnTasks({ own, workers }, tasks);
    registering.add(registrationOf(identity, tasks));
  };
  if (folder) await serve(folder.tasks);
  const watching =
    folder && ground.watchTasks ? watchOwnTasks(folder, serve, { log, home: settings.HAPAX_HOME }) : undefined;
  const ended = workers.run().then(
    () => undefined,
    (error: Error) => error,
  );
  // Nothing waits for the schedules, and the next start applies them again.
  void applySchedules(client, settings).catch((err: unknown) =>
    log.warn({ err }, 'the schedules could not be applied'),
  );
  const sweep = sweepContent(settings, { db, content: content.content, embedding: content.embedding, log });
  return {
    ended,
    async close() {
      workers.shutdown();
      watching?.stop();
      const stopped = Promise.all([sweep?.stop(), pauses.stop(), registering.stop()]);
      await ended;
      await soon(stopped);
      kept?.stop();
    },
  };
}

function versionOf({ TEMPORAL_WORKER_BUILD_ID: buildId, TEMPORAL_DEPLOYMENT_NAME: deploymentName }: Settings) {
  return buildId === undefined ? undefined : { deploymentName, buildId };
}

/** Loads RabbitMQ and Redis only if they are used. */
async function startBridge(ground: Ground, workerBeside: boolean) {
  const { openBridge } = await import('./bridge.ts');
  return openBridge({ ...ground, connection: connectionOf(ground), workerBeside });
}

async function startApi(ground: Ground, { forges, content, checkGitHub }: Outside, workerBeside: boolean) {
  const { settings, metrics, tracing } = ground;
  return startApiServer(triggerDependencies(ground, directDispatchOf(forges, metrics), workerBeside), {
    settings,
    checkGitHub,
    listRuns: runListingOf(forges),
    webhooks: webhooksOf(settings),
    sendToReceiver: sendToReceiverOf(callbackSenderOf(settings)),
    verifyToken: await verifyTokenOf(settings),
    content: content.content,
    people: await peopleProviderOf(settings),
    embedQuery: content.embedQuery,
    decodePayloads: payloadDecoderOf(settings),
    tracing,
  });
}

function connectionOf({ connection }: Ground): NativeConnection {
  if (!connection) throw new Error('workers and the bridge need a native connection to Temporal');
  return connection;
}
