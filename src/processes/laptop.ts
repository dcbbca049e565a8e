import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { openHome } from '../laptop/home.ts';
import { assertPortFree } from '../laptop/ports.ts';
import { assertHoldsTemporal } from '../laptop/temporal-server.ts';
import { workflowBundle } from '../worker/bundle.ts';
import { openPostgres, openTemporal } from './laptop-servers.ts';
import { never } from './start-wait.ts';

/** All parts of one machine, running. */
export interface Laptop {
  url: string;
  /** URL of the routes of Flower alone, if FLOWER_PORT is set. */
  flowerUrl: string | undefined;
  /** URL of the Temporal Web UI, if we started the server. */
  uiUrl: string | undefined;
  temporalAddress: string;
  /** URL of the simulated GitHub, if no credential is configured. */
  simulatorUrl: string | undefined;
  /** Resolves with the reason if a part broke for good. */
  failed: Promise<Error>;
  /** Stops everything in order: first the parts that accept work, then those that do it, then those that keep data. */
  close(): Promise<void>;
}

export interface LaptopOptions {
  log: Logger;
  /** Gets lines that a person should read. */
  report(line: string): void;
  /** Omitted if nothing is traced. */
  tracing?: Tracing | undefined;
  /** Whether to reload the user's own tasks when their files change. Default: false. */
  watchTasks?: boolean;
}

/** The simulated GitHub costs nothing, so its runs are polled more often than real ones. */
const SIMULATOR_POLL_MS = 1_000;
/** How long a simulated run waits and runs: long enough to watch. */
const SIMULATED_RUN = { queued_for_ms: 1_000, running_for_ms: 3_000 };

/**
 * Starts everything on this machine. What is not configured is embedded.
 * @throws {UserError} if the user can solve the problem: a port in use, no Temporal CLI, a directory in use.
 */
export async function startLaptop(
  given: Settings,
  { log, report, tracing, watchTasks = false }: LaptopOptions,
): Promise<Laptop> {
  const started: Array<() => Promise<void> | void> = [];
  const close = async () => {
    for (const stop of started.splice(0).reverse()) await stop();
  };
  try {
    const directory = resolve(given.HAPAX_HOME);
    if (given.TEMPORAL_ADDRESS === undefined) assertHoldsTemporal(directory);
    const home = openHome(directory);
    started.push(() => home.close());
    if (given.PORT !== 0) await assertPortFree(given.HOST, given.PORT, 'PORT');
    if (given.FLOWER_PORT) await assertPortFree(given.HOST, given.FLOWER_PORT, 'FLOWER_PORT');

    const simulator = usesRealGitHub(given) ? undefined : await simulateGitHub(directory);
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
    // Settled, not raced: if one fails, the others have to be stopped.
    const [temporal, postgres, bundle, loaded] = await Promise.allSettled([
      progress('starting Temporal', report, openTemporal(settings, directory, wait)),
      progress('opening the database', report, openPostgres(settings, directory, wait)),
      progress('bundling the workflows', report, workflowBundle()),
      import('./laptop-parts.ts'),
    ]);
    if (postgres.status === 'fulfilled') started.push(postgres.value.close);
    if (temporal.status === 'fulfilled') started.push(temporal.value.close);
    if (temporal.status === 'rejected') throw temporal.reason;
    if (postgres.status === 'rejected') throw postgres.reason;
    if (bundle.status === 'rejected') throw bundle.reason;
    if (loaded.status === 'rejected') throw loaded.reason;

    const { address, uiUrl } = temporal.value;
    const servers = { databaseUrl: postgres.value.embeddedUrl, temporalAddress: address };
    // Commands beside this process need only the servers. The API may be ready before all workers are.
    home.announce(servers);
    const parts = await loaded.value.startLaptopParts({
      settings: { ...settings, TEMPORAL_UI_URL: settings.TEMPORAL_UI_URL ?? uiUrl },
      address,
      postgres: postgres.value,
      log,
      tracing,
      report,
      wait,
      watchTasks,
    });
    started.push(() => parts.close());
    const { url, flowerUrl } = parts.urls!;
    home.announce({ url, ...servers });
    return {
      url,
      flowerUrl,
      uiUrl,
      temporalAddress: address,
      simulatorUrl: simulator?.url,
      failed: Promise.race([
        temporal.value.failed,
        postgres.value.failed,
        parts.ended.then((reason) => reason ?? never),
      ]),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function simulateGitHub(directory: string) {
  const { startGitHubSimulator } = await import('../simulator/github.ts');
  return startGitHubSimulator({ dataFile: join(directory, 'simulated-github.ndjson'), settings: SIMULATED_RUN });
}

/** Reports work that takes longer than two seconds, and at its end how long it took. */
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
