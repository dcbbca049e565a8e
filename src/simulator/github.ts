import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { hostFault, sentByForeignPage } from '../contracts/loopback.ts';
import { refusal } from './answer.ts';
import { addArtifactEndpoints } from './artifact-endpoints.ts';
import { controls } from './controls.ts';
import { addForgejoEndpoints } from './dialects/forgejo.ts';
import { addGiteaEndpoints } from './dialects/gitea.ts';
import { basePathOf, type DialectKind } from './dialects/kind.ts';
import { addEndpoints } from './endpoints.ts';
import { faultQueue } from './faults.ts';
import { openGate } from './gate.ts';
import { addHookEndpoints } from './hook-endpoints.ts';
import { addJobEndpoints } from './job-endpoints.ts';
import { openJournal } from './journal.ts';
import { openLedger } from './ledger.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { startAnnouncer } from './webhooks.ts';

/** Options of a simulator. */
export interface GitHubSimulatorOptions {
  /** The forge whose API it has; default github. */
  dialect?: DialectKind | undefined;
  /** Address to listen on; default 127.0.0.1. */
  host?: string | undefined;
  /** Default 0: any free port. */
  port?: number | undefined;
  /** NDJSON journal, with which runs survive a kill -9; default: nothing is kept. */
  dataFile?: string | undefined;
  /** What differs from the default settings. */
  settings?: Partial<Settings> | undefined;
}

/** A listening simulator. */
export interface GitHubSimulator {
  /** Base URL of the server and its controls, without a slash at its end. Also the base URL of GitHub's API. */
  readonly url: string;
  /** Base URL of the API. */
  readonly apiUrl: string;
  readonly port: number;
  /** Closes every connection (hanging ones too), every timer and the journal. Further calls have no effect. */
  close(): Promise<void>;
}

/**
 * Starts a simulated GitHub Actions: the endpoints that a dispatcher uses, runs that go through their states, webhooks, and on request
 * every way in which it can fail. HTTP requests under `/_simulator` control it, so that it can be a separate process.
 *
 * @example
 * const github = await startGitHubSimulator({ settings: { queued_for_ms: 10, running_for_ms: 10 } });
 * const octokit = new Octokit({ baseUrl: github.url });
 */
export async function startGitHubSimulator(options: GitHubSimulatorOptions = {}): Promise<GitHubSimulator> {
  const host = options.host ?? '127.0.0.1';
  let settings: Settings = { ...defaultSettings, ...options.settings };
  let url = '';
  const current = () => settings;
  const journal = openJournal(options.dataFile);
  const faults = faultQueue();
  const { dialect = 'github' } = options;
  const announcer = startAnnouncer(current, faults, () => url, dialect);
  const ledger =
    dialect === 'github'
      ? openLedger(journal, current, announcer.watch)
      : openLedger(journal, current, announcer.watch, () => 1);

  const app = new Hono<{ Bindings: HttpBindings }>();
  // A web page must not start or end runs here through its user's browser either.
  app.use(async (c, next) => {
    const header = (name: string) => c.req.header(name);
    const fromPage = hostFault(header, [host]) || sentByForeignPage(c.req.method, header);
    return fromPage ? c.json(refusal(403, 'Web pages of other sites may not use this.').body, 403) : next();
  });
  app.route(
    '/_simulator',
    controls({ ledger, faults, announcer, settings: current, change: (some) => (settings = { ...settings, ...some }) }),
  );
  const gate = openGate(ledger, faults, current, dialect);
  if (dialect === 'gitea') addGiteaEndpoints(app, gate, ledger, current);
  else if (dialect === 'forgejo') addForgejoEndpoints(app, gate, ledger, current);
  else {
    addEndpoints(app, gate, ledger, current);
    addHookEndpoints(app, gate, ledger, current, announcer);
    addJobEndpoints(app, gate, ledger, current);
    addArtifactEndpoints(app, gate, ledger, current);
  }
  app.notFound((c) =>
    dialect === 'github' ? c.json(refusal(404, 'Not Found').body, 404) : c.text('404 page not found', 404),
  );

  const server = createAdaptorServer({ fetch: app.fetch, hostname: host }) as Server;
  try {
    await listen(server, options.port ?? 0, host);
  } catch (error) {
    announcer.close();
    journal.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  for (const run of ledger.all()) announcer.watch(run);

  async function shutDown(): Promise<void> {
    announcer.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    journal.close();
  }
  let closing: Promise<void> | undefined;
  return {
    url,
    apiUrl: url + basePathOf(dialect),
    port,
    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
