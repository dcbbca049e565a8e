import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Logger } from 'pino';
import { createTaskHandlers } from '../activities/content-tasks.ts';
import { startApiServer } from '../api/server.ts';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import { startEmbeddedPostgres } from '../laptop/embedded-postgres.ts';
import { openHome } from '../laptop/home.ts';
import { assertPortFree, preferPort } from '../laptop/ports.ts';
import { superviseTemporal } from '../laptop/supervised-temporal.ts';
import { findTemporalCli } from '../laptop/temporal-cli.ts';
import { startGitHubSimulator } from '../simulator/github.ts';
import { openDatabase, RUNTIME_ROLE } from '../store/database.ts';
import { migrateDatabase } from '../store/migrate.ts';
import { workflowBundle } from '../worker/bundle.ts';
import { createWorkers } from '../worker/workers.ts';
import { openBridge } from './bridge.ts';
import { callbackSenderOf, refusalOfHost } from './callbacks.ts';
import { connectContent } from './content.ts';
import { sweepContent } from './content-sweep.ts';
import { sweepDeliveries } from './delivery-sweep.ts';
import { connectGitHub, repositoryOf, webhooksOf } from './github.ts';
import { watchGitHub } from './github-watch.ts';
import { installTemporalRuntime } from './log.ts';
import { logEnds } from './log-ends.ts';
import { createMetrics } from './metrics.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { databaseAt, orDatabaseAway, orTemporalAway, temporalAt } from './start-faults.ts';
import { inStartTime, type StartWait } from './start-wait.ts';
import { queuesOf } from './tasks.ts';
import { connectTemporal, lazyTemporalClient } from './temporal.ts';

/** Everything of one machine, running. */
export interface Laptop {
  url: string;
  /** Of the routes of Flower alone, where FLOWER_PORT is set. */
  flowerUrl: string | undefined;
  /** Of the Temporal Web UI, where we started the server. */
  uiUrl: string | undefined;
  temporalAddress: string;
  /** Of the simulated GitHub, where no credential is configured. */
  simulatorUrl: string | undefined;
  /** Resolves with the reason when a part broke beyond mending. */
  failed: Promise<Error>;
  /** Stops everything in order: first what accepts, then what works, then what keeps. */
  close(): Promise<void>;
}

/** The simulated GitHub costs nothing, so its runs are looked at more often than the real one's. */
const SIMULATOR_POLL_MS = 1_000;
/** A simulated run waits and runs this long: enough to watch. */
const SIMULATED_RUN = { queuedForMs: 1_000, runningForMs: 3_000 };

/**
 * Starts everything on this machine: what is not configured is embedded.
 * @throws {UserError} where the user can mend it: a port in use, no Temporal CLI, a directory in use.
 */
export async function startLaptop(given: Settings, log: Logger, report: (line: string) => void): Promise<Laptop> {
  const started: Array<() => Promise<void> | void> = [];
  const close = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  try {
    const directory = resolve(given.HAPAX_HOME);
    const home = openHome(directory);
    started.push(() => home.close());
    if (given.PORT !== 0) await assertPortFree(given.HOST, given.PORT, 'PORT');
    if (given.FLOWER_PORT) await assertPortFree(given.HOST, given.FLOWER_PORT, 'FLOWER_PORT');

    const simulator = usesRealGitHub(given)
      ? undefined
      : await startGitHubSimulator({ dataFile: join(directory, 'simulated-github.ndjson'), ...SIMULATED_RUN });
    if (simulator) started.push(() => simulator.close());
    const settings = simulator
      ? {
          ...given,
          GITHUB_API_URL: simulator.url,
          GITHUB_WRITE_INTERVAL: 0,
          GITHUB_POLL_INTERVAL: Math.min(given.GITHUB_POLL_INTERVAL, SIMULATOR_POLL_MS),
        }
      : given;

    const wait = { timeoutMs: settings.START_TIMEOUT, say: report };
    // Settled, not raced: what started although another failed has to be stopped.
    const [temporal, postgres, bundle] = await Promise.allSettled([
      progress('starting Temporal', report, openTemporal(settings, directory, wait)),
      progress('opening the database', report, openPostgres(settings, directory, wait)),
      progress('bundling the workflows', report, workflowBundle()),
    ]);
    if (postgres.status === 'fulfilled') started.push(postgres.value.close);
    if (temporal.status === 'fulfilled') started.push(temporal.value.close);
    if (temporal.status === 'rejected') throw temporal.reason;
    if (postgres.status === 'rejected') throw postgres.reason;
    if (bundle.status === 'rejected') throw bundle.reason;

    installTemporalRuntime(log);
    const { address } = temporal.value;
    const connecting = connectTemporal({ ...settings, address });
    const { connection, client } = await inStartTime(`Temporal at ${address}`, connecting, wait);
    const database = openDatabase({
      url: postgres.value.url,
      ...(postgres.value.role ? { role: postgres.value.role } : {}),
    });
    started.push(() => database.close());
    started.push(() => connection.close());
    const metrics = createMetrics(database.db);
    const github = connectGitHub(settings, metrics, database.db);
    const watch = watchGitHub({ settings, github, say: report });
    started.push(() => watch.stop());
    const content = connectContent(settings);
    started.push(() => content.close());
    const workers = await createWorkers({
      connection,
      namespace: settings.TEMPORAL_NAMESPACE,
      db: database.db,
      github,
      sender: callbackSenderOf(settings),
      handlers: createTaskHandlers({ db: database.db, ...content, meter: metrics }),
      ...queuesOf(settings),
      meter: logEnds(metrics, log),
      onShutdownOrder: undefined,
    });
    const working = workers.run();
    started.push(async () => {
      workers.shutdown();
      await working.catch(() => {});
    });
    const bridge =
      settings.AMQP_URL === undefined
        ? undefined
        : await openBridge({
            settings,
            connection,
            client,
            workerBeside: true,
            db: database.db,
            meter: metrics,
            log,
          });
    if (bridge) started.push(() => bridge.close());
    const api = await startApiServer({
      settings,
      repository: repositoryOf(settings),
      client,
      workerBeside: true,
      db: database.db,
      checkGitHub: watch.check,
      webhooks: webhooksOf(settings),
      refusalOfHost: refusalOfHost(settings),
      embedQuery: content.embedQuery,
      meter: metrics,
      log,
    });
    started.push(() => api.close());
    const sweep = sweepDeliveries(settings, { db: database.db, github, log, onSwept: metrics.deliveriesSwept });
    if (sweep) started.push(() => sweep.stop());
    const contentSweep = sweepContent(settings, { db: database.db, embedding: content.embedding, log });
    if (contentSweep) started.push(() => contentSweep.stop());
    home.announce({
      url: api.url,
      databaseUrl: postgres.value.embeddedUrl,
      temporalAddress: temporal.value.address,
    });
    collectGarbage();
    return {
      url: api.url,
      flowerUrl: api.flowerUrl,
      uiUrl: temporal.value.uiUrl,
      temporalAddress: temporal.value.address,
      simulatorUrl: simulator?.url,
      failed: Promise.race([temporal.value.failed, postgres.value.failed, failureOf(working), bridge?.failed ?? never]),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openTemporal(settings: Settings, directory: string, wait: StartWait) {
  const { say: report } = wait;
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = settings;
  if (address !== undefined) {
    const { connection } = await lazyTemporalClient({ ...settings, address });
    const registering = registerSearchAttributes(connection, namespace);
    await inStartTime(temporalAt(address), registering, wait).catch(orTemporalAway(address));
    await connection.close();
    return { address, uiUrl: undefined, failed: never, close: async () => {} };
  }
  const cli = await findTemporalCli({ env: process.env, report });
  return superviseTemporal({
    cli,
    directory: join(directory, 'temporal'),
    namespace,
    // Where tools look for Temporal by default, unless another instance is there already.
    port: settings.TEMPORAL_PORT || (await preferPort(settings.TEMPORAL_PORT ?? 7233)),
    uiPort: settings.TEMPORAL_UI_PORT || (await preferPort(settings.TEMPORAL_UI_PORT ?? 8233)),
    trustedHosts: settings.TRUSTED_HOSTS,
    searchAttributes: SEARCH_ATTRIBUTES,
    report,
  });
}

async function openPostgres(settings: Settings, directory: string, wait: StartWait) {
  if (settings.DATABASE_URL !== undefined) {
    const { DATABASE_URL: url } = settings;
    await inStartTime(databaseAt(url), migrateDatabase(url), wait).catch(orDatabaseAway(url));
    return { url, embeddedUrl: undefined, role: settings.DATABASE_ROLE, failed: never, close: async () => {} };
  }
  // Compiled on every core, Postgres leaves each thread with memory that it never gives back: 30 MB on two.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
  const embedded = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  await migrateDatabase(embedded.url, RUNTIME_ROLE);
  const { url, failed } = embedded;
  return { url, embeddedUrl: url, role: undefined, failed, close: () => embedded.close() };
}

const never = new Promise<Error>(() => {});

function failureOf(working: Promise<void>): Promise<Error> {
  return new Promise((resolve) => {
    working.catch(resolve);
  });
}

/**
 * Gives back what loading took (150 MB), which V8 would keep until the heap grows, and it does not grow in a process that
 * idles. Takes about 60 ms, once, in which nothing else runs here.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Says what is being done where it takes longer than two seconds, and how long it took. */
async function progress<T>(what: string, report: (line: string) => void, work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  let told = false;
  const timer = setTimeout(() => {
    told = true;
    report(`${what} ...`);
  }, 2_000);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (told) report(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  }
}
