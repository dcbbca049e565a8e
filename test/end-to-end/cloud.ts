import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Health } from '../../src/contracts/health.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { startTemporalServer } from '../../src/laptop/temporal-server.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { eventually } from '../world/eventually.ts';
import { startPostgresServer } from '../world/postgres-server.ts';
import { steadyPort } from '../world/steady-port.ts';
import { callers } from '../world/world.ts';
import { directory, kill, Program, startGitHub } from './program.ts';

/**
 * The parts of a cloud installation, each to be stopped, killed and started on its own. Postgres and the simulated GitHub run from the start.
 * @param cli path of Temporal's CLI
 */
export async function openCloud(cli: string, settings: Record<string, string> = {}) {
  const home = await directory();
  const github = await startGitHub(home);
  const postgres = await startPostgresServer();
  onTestFinished(() => postgres.close());
  await migrateDatabase(postgres.url);
  const temporalPort = await steadyPort();
  let server: Awaited<ReturnType<typeof startTemporalServer>> | undefined;
  const temporal = {
    address: `127.0.0.1:${temporalPort}`,
    async start() {
      server = await startTemporalServer({
        cli,
        directory: join(home, 'temporal'),
        port: temporalPort,
        uiPort: null,
        searchAttributes: SEARCH_ATTRIBUTES,
      });
    },
    stop: async () => server?.close(),
    /** kill -9 of the server; resolves when it is gone. */
    async kill() {
      kill(Number(readFileSync(join(home, 'temporal/temporal.pid'), 'utf8')));
      await server?.exited;
    },
  };
  onTestFinished(() => temporal.stop());
  const port = await steadyPort();
  const secret = 'a-secret-of-the-test';
  const environment = {
    DEPLOYMENT_MODE: 'cloud',
    PORT: String(port),
    API_KEYS: `test=${secret}`,
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    GITHUB_TOKEN: 'test-token',
    GITHUB_REPO: 'acme/images',
    GITHUB_API_URL: github.url,
    GITHUB_POLL_INTERVAL: '200ms',
    GITHUB_REQUEST_TIMEOUT: '2s',
    GITHUB_WRITE_INTERVAL: '0',
    RECONCILE_WINDOW: '1s',
    QUEUE_RETRY_DELAY: '1s',
    ...settings,
  };
  const role = (name: 'api' | 'worker' | 'bridge') => {
    let program: Program | undefined;
    onTestFinished(() => program?.kill());
    return {
      start() {
        program = new Program(
          process.execPath,
          ['bin/hapax.js', 'serve', name],
          environment,
          join(home, `${name}.log`),
        );
      },
      kill: async () => program?.kill(),
      /** Asks it to stop, as Kubernetes does. */
      stop: () => program?.signal('SIGTERM'),
      ended: async () => program?.ended,
      get output() {
        return program?.output ?? '';
      },
    };
  };
  const roles = { api: role('api'), worker: role('worker'), bridge: role('bridge') };
  const { call } = callers(`http://127.0.0.1:${port}`);
  const asked = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    call(method, path, body, { authorization: `Bearer ${secret}`, ...headers });
  return {
    environment,
    github,
    postgres,
    temporal,
    ...roles,
    call,
    asked,
    trigger: (ref: string) => asked('POST', '/builds/trigger', { ref }),
    startRoles() {
      roles.api.start();
      roles.worker.start();
    },
    health: async () => {
      const { json, status } = await call('GET', '/health');
      expect(status).toBe(200);
      const { dependencies } = json as Health;
      return Object.fromEntries(Object.entries(dependencies).map(([name, dependency]) => [name, dependency?.status]));
    },
    succeeds: (id: number) =>
      eventually(async () => expect((await asked('GET', `/builds/${id}`)).json).toMatchObject({ status: 'success' })),
  };
}
export type Cloud = Awaited<ReturnType<typeof openCloud>>;
