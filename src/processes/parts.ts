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
import { type DefinedTask, descriptionOf } from '../domain/tasks/define-task.ts';
import { builtInDescriptions } from '../domain/tasks/task-types.ts';
import { checkedFetch } from '../integrations/checked-fetch.ts';
import { postgresContent } from '../store/content/postgres-content.ts';
import type { Db } from '../store/database.ts';
import { createWorkers } from '../worker/workers.ts';
import { callbackSenderOf, refusalOfHost, sendToReceiverOf } from './callbacks.ts';
import { checkpointsOf } from './checkpoints.ts';
import { connectContent } from './content.ts';
import { openContentStore } from './content-store.ts';
import { sweepContent } from './content-sweep.ts';
import { connectForges, connectGitHub, directDispatchOf, forgeWebhooksOf, repositoryOf, webhooksOf } from './github.ts';
import { type GitHubWatchOptions, watchGitHub } from './github-watch.ts';
import { logEnds } from './log-ends.ts';
import type { Metrics } from './metrics.ts';
import { peopleProviderOf, verifyTokenOf } from './oidc.ts';
import { loadOwnTasks, registrationOf, serveOwnTasks, watchOwnTasks } from './own-tasks.ts';
import { dataConverterOf, payloadDecoderOf } from './payload-codec.ts';
import { watchQueuePauses } from './queue-pauses.ts';
import { Registering } from './registration.ts';
import { firingOf } from './scheduled.ts';
import { applySchedules } from './schedules.ts';
import { queuesOf } from './tasks.ts';

/** What a process can run of Hapax; `hapax up` runs all three. */
export type Part = 'api' | 'worker' | 'bridge';

/** What parts stand on; it outlives them. */
export interface Ground extends Pick<Partial<GitHubWatchOptions>, 'pauses'> {
  settings: Settings;
  db: Db;
  client: Client;
  /** Of the client too, so that a workflow can start on the worker beside it. The API alone needs none. */
  connection?: NativeConnection;
  metrics: Metrics;
  log: Logger;
  /** Hears what a person should know of GitHub. */
  say: GitHubWatchOptions['say'];
  /** Loads tasks of the user's own again when their files change. */
  watchTasks?: boolean;
  /** Where they differ from the usual ones. */
  handlers?: Partial<TaskHandlers>;
}

/** Parts, running. */
export interface RunningParts {
  /** Where the API listens, if it runs. */
  urls: { url: string; flowerUrl: string | undefined } | undefined;
  /** Stops the worker alone; undefined where none runs. */
  worker: { close(): Promise<void> } | undefined;
  /** Resolves when a part ended by itself: with the reason if it broke, with undefined if the worker was told to shut down. */
  ended: Promise<Error | undefined>;
  /** Stops the parts: first what accepts, then what works. */
  close(): Promise<void>;
}

/**
 * Puts together what a process runs. Every process and the tests come through here; they differ in the parts they name.
 * @throws where a part cannot start; those that did are stopped.
 */
export async function startParts(ground: Ground, parts: readonly Part[]): Promise<RunningParts> {
  const beside = parts.includes('worker');
  const outside = await openOutside(ground, parts);
  // Settled, not raced: what started although another failed has to be stopped.
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
    await outside.close();
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

const never = new Promise<never>(() => {});

function value<T>(settled: PromiseSettledResult<T>): T | undefined {
  return settled.status === 'fulfilled' ? settled.value : undefined;
}

type Outside = Awaited<ReturnType<typeof openOutside>>;

/** The world outside of Hapax, which API and worker share. */
async function openOutside({ settings, db, metrics, say, pauses }: Ground, parts: readonly Part[]) {
  const github = connectGitHub(settings, metrics, db);
  const forges = connectForges(settings, github, metrics, db);
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
  const { settings, client, db, metrics, log } = ground;
  const folder = await loadOwnTasks(settings.HAPAX_TASKS);
  const builtIn = builtInCode({ ...createTaskHandlers({ db, ...content, meter: metrics }), ...ground.handlers });
  const own =
    folder && new OwnTasks({ db, fetch: checkedFetch({ allowedHosts: settings.TASK_ALLOWED_HOSTS }) }, builtIn);
  const sizes = queuesOf(
    settings,
    folder?.tasks.map((task) => descriptionOf(task).queue),
  );
  const workers = await createWorkers({
    connection: connectionOf(ground),
    namespace: settings.TEMPORAL_NAMESPACE,
    dataConverter: dataConverterOf(settings),
    db,
    forges,
    fire: firingOf(ground, directDispatchOf(forges)),
    checkpoints: checkpointsOf(settings),
    sender: callbackSenderOf(settings),
    code: own ?? builtIn,
    ...sizes,
    meter: logEnds(metrics, log),
    onShutdownOrder: isAlone
      ? () => {
          log.info('worker was told to shut down');
          workers.shutdown();
        }
      : undefined,
  });
  const pauses = await watchQueuePauses(db, workers, log);
  const served = [...sizes.queues.keys()].filter((name) => name !== WORKFLOW_QUEUE);
  const { identity } = workers;
  const registering = new Registering(db, log);
  registering.add({ identity, runtime: 'built-in', queues: served, types: [...builtInDescriptions()] });
  const serve = async (tasks: DefinedTask[]) => {
    if (own) await serveOwnTasks({ own, workers }, tasks);
    registering.add(registrationOf(identity, tasks));
  };
  if (folder) await serve(folder.tasks);
  const watching = folder && ground.watchTasks ? watchOwnTasks(folder, serve, log) : undefined;
  const ended = workers.run().then(
    () => undefined,
    (error: Error) => error,
  );
  // Nothing waits for them, and they are applied again at the next start.
  void applySchedules(client, settings).catch((err: unknown) =>
    log.warn({ err }, 'the schedules could not be applied'),
  );
  const sweep = sweepContent(settings, { db, content: content.content, embedding: content.embedding, log });
  return {
    ended,
    async close() {
      await watching?.stop();
      await Promise.all([sweep?.stop(), pauses.stop(), registering.stop()]);
      workers.shutdown();
      await ended;
    },
  };
}

/** RabbitMQ and Redis are loaded where they are used. */
async function startBridge(ground: Ground, workerBeside: boolean) {
  const { openBridge } = await import('./bridge.ts');
  return openBridge({ ...ground, connection: connectionOf(ground), workerBeside, meter: ground.metrics });
}

async function startApi(ground: Ground, { forges, content, checkGitHub }: Outside, workerBeside: boolean) {
  const { settings, client, db, metrics, log } = ground;
  return startApiServer({
    settings,
    repository: repositoryOf(settings),
    client,
    workerBeside,
    db,
    sendDispatch: directDispatchOf(forges),
    checkGitHub,
    webhooks: webhooksOf(settings),
    forgeWebhooks: forgeWebhooksOf(settings),
    refusalOfHost: refusalOfHost(settings),
    sendToReceiver: sendToReceiverOf(callbackSenderOf(settings)),
    verifyToken: await verifyTokenOf(settings),
    content: content.content,
    people: await peopleProviderOf(settings),
    embedQuery: content.embedQuery,
    decodePayloads: payloadDecoderOf(settings),
    meter: metrics,
    log,
  });
}

function connectionOf({ connection }: Ground): NativeConnection {
  if (!connection) throw new Error('workers and the bridge need a native connection to Temporal');
  return connection;
}
