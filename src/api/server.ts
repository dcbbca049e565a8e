import type { Client } from '@temporalio/client';
import packageJson from '../../package.json' with { type: 'json' };
import { startPendingDeliveries } from '../commands/builds/pending-deliveries.ts';
import type { TriggerDependencies } from '../commands/builds/trigger-build.ts';
import type { VerifyToken } from '../commands/keys/gate.ts';
import type { PeopleProvider } from '../commands/keys/people.ts';
import type { KnownInstallation } from '../commands/lifecycle/installation.ts';
import { startReconciliation } from '../commands/reconcile/reconciliation.ts';
import { Refusal } from '../commands/refusal.ts';
import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import { describeTaskQueue } from '../commands/workers/describe-task-queue.ts';
import { startQueueSampling } from '../commands/workers/queue-sampling.ts';
import type { Settings } from '../contracts/settings.ts';
import { WORKFLOW_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { contentCapabilitiesOf } from '../domain/content/content-capabilities.ts';
import { quotaPolicyOf } from '../domain/content/youtube-quota.ts';
import { checkDatabase } from '../store/database.ts';
import { EventFeed } from '../store/record/event-feed.ts';
import { type ApiDependencies, createApi } from './app.ts';
import { consoleOf, flowerWithConsole } from './console.ts';
import { EventTail } from './events/event-tail.ts';
import { createFlower } from './flower/app.ts';
import { gateOf } from './gate-of.ts';
import { HealthMonitor } from './health-monitor.ts';
import { type Listening, listen } from './listen.ts';
import type { ApiMeter } from './meter.ts';

/** What commands need. */
interface Commands extends TriggerDependencies, TaskDependencies {
  installation: KnownInstallation;
  meter: ApiMeter;
}

export interface ApiServerOptions
  extends Pick<
    ApiDependencies,
    'content' | 'decodePayloads' | 'embedQuery' | 'listRuns' | 'sendToReceiver' | 'webhooks'
  > {
  settings: Settings;
  /** Throws if builds cannot be dispatched, and says what to change. */
  checkGitHub(): Promise<void>;
  /** Verifies OpenID Connect tokens; undefined if no rule admits any. */
  verifyToken: VerifyToken | undefined;
  /** The provider where people sign in to the console; undefined if they need a key. */
  people: PeopleProvider | undefined;
  /** Left out if nothing is traced. */
  tracing?: Tracing | undefined;
}

/** The listening API. */
export interface ApiServer extends Listening {
  /** URL of the server for the Flower API, if FLOWER_PORT is set. */
  flowerUrl: string | undefined;
}

/** Serves the API on HOST and PORT, and the Flower API on FLOWER_PORT too. */
export async function startApiServer(
  commands: Commands,
  { settings, checkGitHub, verifyToken, people, tracing, ...given }: ApiServerOptions,
): Promise<ApiServer> {
  const { client, db, log, installation, buildIds, configurations } = commands;
  // Makes the first trigger fast. If an outage follows, they are already here.
  const fetchAhead = () => Promise.all([installation.refresh(), provideIds(), configurations.environment()]);
  // Without Temporal, nobody knows which ids are in use. The check of Temporal reports that it is away; the database has no fault.
  const provideIds = () =>
    buildIds.provide().catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  const checks = {
    postgres: { check: () => checkDatabase(db, fetchAhead), everyMs: 5_000 },
    temporal: { check: () => checkTemporal(client), everyMs: 5_000 },
    workers: { check: () => checkWorkers(client), everyMs: 5_000 },
    ...(contentCapabilitiesOf(given.content.kind).in_record
      ? {}
      : { content: { check: () => given.content.check(), everyMs: 5_000 } }),
    // Sends no request: GitHub is watched separately.
    github: { check: checkGitHub, everyMs: 2_000 },
  };
  const monitor = new HealthMonitor(packageJson.version, checks, () => installation.reconciled);
  monitor.start();
  const gate = gateOf(settings, { db, log, verify: verifyToken });
  // This must come before anybody is let in: an installation with created keys must not be open.
  await gate.ring.refresh().catch((error: unknown) => {
    if (!gate.hasEnvironmentKeys) throw error;
    log.warn({ err: error }, 'the keys could not be read; only those of API_KEYS let in until they are');
  });
  const keyRing = gate.ring.start();
  const flower = createFlower(commands, new EventTail(db), gate, settings);
  const reconciliation = startReconciliation({ ...commands, listRuns: given.listRuns });
  const shown = {
    ...{ ...commands, ...given, reconcileSoon: reconciliation.soon },
    youtubeQuota: quotaPolicyOf(settings),
    temporalUi: { url: settings.TEMPORAL_UI_URL, namespace: settings.TEMPORAL_NAMESPACE },
  };
  const consoleDeps = { ...shown, health: () => monitor.health };
  const api = createApi({
    ...shown,
    monitor,
    feed: new EventFeed(db),
    gate,
    trustedHosts: settings.TRUSTED_HOSTS,
    ...(tracing ? { tracing } : {}),
    flower: { fetch: flower.fetch, prefix: settings.FLOWER_URL_PREFIX },
    console: consoleOf(consoleDeps, { gate, people }, settings),
  });
  const server = await listen(api.fetch, settings.HOST, settings.PORT);
  const alone =
    settings.FLOWER_PORT === undefined
      ? undefined
      : await listen(
          flowerWithConsole(flower, consoleDeps, gate, settings).fetch,
          settings.HOST,
          settings.FLOWER_PORT,
        ).catch(async (error: unknown) => {
          await server.close();
          throw error;
        });
  const deliveries = given.webhooks && startPendingDeliveries(commands);
  const sampling = startQueueSampling({ db, log });
  return {
    url: server.url,
    flowerUrl: alone?.url,
    async close() {
      monitor.stop();
      await Promise.all([
        server.close(),
        alone?.close(),
        deliveries?.stop(),
        reconciliation.stop(),
        sampling.stop(),
        keyRing.stop(),
      ]);
    },
  };
}

async function checkTemporal(client: Client): Promise<void> {
  await client.withDeadline(Date.now() + 2_500, () =>
    client.workflowService.describeNamespace({ namespace: client.options.namespace }),
  );
}

async function checkWorkers(client: Client): Promise<void> {
  const { pollers } = await describeTaskQueue(client, WORKFLOW_TASK_QUEUE, 'workflow');
  if (!pollers?.length) throw new Error('no worker has polled for workflows; accepted builds and tasks wait');
}
