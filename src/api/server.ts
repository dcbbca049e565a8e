import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import { BuildIds } from '../commands/builds/build-ids.ts';
import type { DirectDependencies } from '../commands/builds/dispatch-directly.ts';
import { startPendingDeliveries } from '../commands/builds/pending-deliveries.ts';
import type { CallbackHosts } from '../commands/callbacks/callback-of.ts';
import { Configurations } from '../commands/configurations/configurations.ts';
import type { VerifyToken } from '../commands/keys/gate.ts';
import type { PeopleProvider } from '../commands/keys/people.ts';
import { KnownInstallation } from '../commands/lifecycle/installation.ts';
import { startReconciliation } from '../commands/reconcile/reconciliation.ts';
import { UnusedBuildIds } from '../commands/reconcile/unused-build-ids.ts';
import { Refusal } from '../commands/refusal.ts';
import type { SendToReceiver } from '../commands/subscriptions/subscription-dependencies.ts';
import { TaskTypes } from '../commands/tasks/task-types.ts';
import { describeTaskQueue } from '../commands/workers/describe-task-queue.ts';
import { startQueueSampling } from '../commands/workers/queue-sampling.ts';
import type { Settings } from '../contracts/settings.ts';
import { WORKFLOW_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import { environmentConfiguration, policyOf } from '../domain/builds/configuration.ts';
import { contentCapabilitiesOf } from '../domain/content/content-capabilities.ts';
import { quotaPolicyOf } from '../domain/content/youtube-quota.ts';
import { forgeAddressesOf } from '../domain/forges/place.ts';
import { taskPolicyOf } from '../domain/tasks/task-request.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { EmbedQuery } from '../store/content/search-answer.ts';
import { checkDatabase, type Db } from '../store/database.ts';
import { EventFeed } from '../store/record/event-feed.ts';
import { createApi } from './app.ts';
import { consoleOf, flowerWithConsole } from './console.ts';
import { EventTail } from './events/event-tail.ts';
import { createFlower } from './flower/app.ts';
import { gateOf } from './gate-of.ts';
import { HealthMonitor } from './health-monitor.ts';
import { type Listening, listen } from './listen.ts';
import type { ApiMeter } from './meter.ts';
import type { DecodePayloads } from './routes/temporal-decode.ts';
import type { ForgeWebhookDependencies } from './routes/webhooks-forges.ts';
import type { WebhookDependencies } from './routes/webhooks-github.ts';

export interface ApiServerOptions {
  settings: Settings;
  /** OWNER/NAME of configuration 1. */
  repository: string;
  client: Client;
  /** The client shares its native connection with a worker of this process. */
  workerBeside: boolean;
  db: Db;
  sendDispatch: DirectDependencies['sendDispatch'];
  /** Throws where builds cannot be dispatched, with what to change. */
  checkGitHub(): Promise<void>;
  /** Reads webhooks; undefined where none are configured. */
  webhooks: WebhookDependencies['webhooks'];
  forgeWebhooks: ForgeWebhookDependencies['forgeWebhooks'];
  /** Why no callback can go to a host, by what its name resolves to now. */
  refusalOfHost: CallbackHosts['refusalOf'];
  sendToReceiver: SendToReceiver;
  /** Verifies tokens of OpenID Connect; undefined where none let in. */
  verifyToken: VerifyToken | undefined;
  content: ContentStore;
  /** Where people sign in to the console; undefined where they need a key. */
  people: PeopleProvider | undefined;
  /** Turns a query into a vector; undefined where no model is configured. */
  embedQuery: EmbedQuery;
  /** Decrypts what Temporal keeps. */
  decodePayloads: DecodePayloads;
  meter: ApiMeter;
  log: Logger;
}

/** The API, listening. */
export interface ApiServer extends Listening {
  /** Of the routes of Flower alone, where FLOWER_PORT is set. */
  flowerUrl: string | undefined;
}

/** Serves the API on HOST and PORT, and the routes of Flower on FLOWER_PORT as well. */
export async function startApiServer({
  settings,
  repository,
  client,
  workerBeside,
  db,
  sendDispatch,
  checkGitHub,
  webhooks,
  forgeWebhooks,
  refusalOfHost,
  sendToReceiver,
  verifyToken,
  content,
  people,
  embedQuery,
  decodePayloads,
  meter,
  log,
}: ApiServerOptions): Promise<ApiServer> {
  const installation = new KnownInstallation(db);
  const unusedIds = new UnusedBuildIds({ client, db, installation, log });
  const buildIds = new BuildIds((count) => unusedIds.reserve(count));
  const configurations = new Configurations(db, environmentConfiguration(repository, settings.GITHUB_WORKFLOW));
  // So that the first trigger is fast, and an outage that follows on health finds them held.
  const fetchAhead = () => Promise.all([installation.refresh(), provideIds(), configurations.environment()]);
  // Without Temporal nobody knows which ids are in use; that it is away shows there, and not as a fault of the database.
  const provideIds = () =>
    buildIds.provide().catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  const checks = {
    postgres: { check: () => checkDatabase(db, fetchAhead), everyMs: 5_000 },
    temporal: { check: () => checkTemporal(client), everyMs: 5_000 },
    workers: { check: () => checkWorkers(client), everyMs: 5_000 },
    ...(contentCapabilitiesOf(content.kind).in_record
      ? {}
      : { content: { check: () => content.check(), everyMs: 5_000 } }),
    // Asks nobody: GitHub is watched by itself.
    github: { check: checkGitHub, everyMs: 2_000 },
  };
  const monitor = new HealthMonitor(packageJson.version, checks, () => installation.reconciled);
  monitor.start();
  const tasks = {
    client,
    installation,
    workerBeside,
    db,
    meter,
    log,
    taskPolicy: taskPolicyOf(settings),
    taskTypes: new TaskTypes(db, log),
    sendToReceiver,
    callbackHosts: { allowed: settings.CALLBACK_ALLOWED_HOSTS, refusalOf: refusalOfHost },
  };
  const gate = gateOf(settings, { db, log, verify: verifyToken });
  // Before anybody is let in: who has created keys must not find the API open.
  await gate.ring.refresh().catch((error: unknown) => {
    if (!gate.hasEnvironmentKeys) throw error;
    log.warn({ err: error }, 'the keys could not be read; only those of API_KEYS let in until they are');
  });
  const keyRing = gate.ring.start();
  const flower = createFlower(tasks, new EventTail(db), gate, settings);
  const operation = { ...tasks, policy: policyOf(settings), dedupWindowMs: settings.DEDUP_WINDOW };
  const reconciliation = startReconciliation(operation);
  const trigger = {
    ...{ ...operation, buildIds, configurations, forges: forgeAddressesOf(settings) },
    ...{ queueEnabled: settings.QUEUE_ENABLED, sendDispatch, reconcileSoon: reconciliation.soon },
  };
  const shown = {
    ...trigger,
    youtubeQuota: quotaPolicyOf(settings),
    temporalUi: { url: settings.TEMPORAL_UI_URL, namespace: settings.TEMPORAL_NAMESPACE },
    content,
    embedQuery,
  };
  const consoleDeps = { ...shown, health: () => monitor.health };
  const api = createApi({
    ...shown,
    monitor,
    feed: new EventFeed(db),
    decodePayloads,
    gate,
    trustedHosts: settings.TRUSTED_HOSTS,
    webhooks,
    forgeWebhooks,
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
  const deliveries = (webhooks ?? forgeWebhooks) && startPendingDeliveries(operation);
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
