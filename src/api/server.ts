import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import { BuildIds } from '../commands/builds/build-ids.ts';
import type { ListRuns } from '../commands/builds/compare-shadow.ts';
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
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { environmentConfiguration, policyOf } from '../domain/builds/configuration.ts';
import { contentCapabilitiesOf } from '../domain/content/content-capabilities.ts';
import { quotaPolicyOf } from '../domain/content/youtube-quota.ts';
import { forgeAddressesOf } from '../domain/forges/place.ts';
import type { SecretBox } from '../domain/tasks/secret-arguments.ts';
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
  /** Whether the client shares its native connection with a worker in this process. */
  workerBeside: boolean;
  db: Db;
  sendDispatch: DirectDependencies['sendDispatch'];
  listRuns: ListRuns;
  /** Throws if builds cannot be dispatched, and says what to change. */
  checkGitHub(): Promise<void>;
  /** Reads webhooks; undefined if none are configured. */
  webhooks: WebhookDependencies['webhooks'];
  forgeWebhooks: ForgeWebhookDependencies['forgeWebhooks'];
  /** Says why no callback can go to a host, by the addresses that its name resolves to now. */
  refusalOfHost: CallbackHosts['refusalOf'];
  sendToReceiver: SendToReceiver;
  /** Verifies OpenID Connect tokens; undefined if no rule admits any. */
  verifyToken: VerifyToken | undefined;
  content: ContentStore;
  /** The provider where people sign in to the console; undefined if they need a key. */
  people: PeopleProvider | undefined;
  /** Turns a query into a vector; undefined if no model is configured. */
  embedQuery: EmbedQuery;
  /** Decrypts what Temporal keeps. */
  decodePayloads: DecodePayloads;
  /** Encrypts secret arguments of tasks; undefined if no keys are set. */
  secrets: SecretBox | undefined;
  meter: ApiMeter;
  /** Left out if nothing is traced. */
  tracing?: Tracing | undefined;
  log: Logger;
}

/** The listening API. */
export interface ApiServer extends Listening {
  /** URL of the server for the Flower API, if FLOWER_PORT is set. */
  flowerUrl: string | undefined;
}

/** Serves the API on HOST and PORT, and the Flower API on FLOWER_PORT too. */
export async function startApiServer({
  settings,
  repository,
  client,
  workerBeside,
  db,
  sendDispatch,
  listRuns,
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
  secrets,
  meter,
  tracing,
  log,
}: ApiServerOptions): Promise<ApiServer> {
  const installation = new KnownInstallation(db);
  const unusedIds = new UnusedBuildIds({ client, db, installation, log });
  const buildIds = new BuildIds((count) => unusedIds.reserve(count));
  const configurations = new Configurations(db, environmentConfiguration(repository, settings.GITHUB_WORKFLOW));
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
    ...(contentCapabilitiesOf(content.kind).in_record
      ? {}
      : { content: { check: () => content.check(), everyMs: 5_000 } }),
    // Sends no request: GitHub is watched separately.
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
    secrets,
  };
  const gate = gateOf(settings, { db, log, verify: verifyToken });
  // This must come before anybody is let in: an installation with created keys must not be open.
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
    listRuns,
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
    ...(tracing ? { tracing } : {}),
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
