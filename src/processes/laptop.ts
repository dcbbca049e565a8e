import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import { openHome } from '../laptop/home.ts';
import { assertPortFree } from '../laptop/ports.ts';
import { workflowBundle } from '../worker/bundle.ts';
import { openPostgres, openTemporal } from './laptop-servers.ts';

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
    // Settled, not raced: what started although another failed has to be stopped.
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
    // The commands beside need the servers only; the API may be ready before all workers are.
    home.announce(servers);
    const parts = await loaded.value.startLaptopParts({
      settings: { ...settings, TEMPORAL_UI_URL: settings.TEMPORAL_UI_URL ?? uiUrl },
      address,
      postgres: postgres.value,
      log,
      report,
      wait,
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
  return startGitHubSimulator({ dataFile: join(directory, 'simulated-github.ndjson'), ...SIMULATED_RUN });
}

const never = new Promise<Error>(() => {});

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
