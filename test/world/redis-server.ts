import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { installed, type ServerProcess, serverProcess } from './server-process.ts';
import { steadyPort } from './steady-port.ts';

/** A real Redis of the test's own. */
export interface Redis {
  url: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on its port and data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const SERVER = installed('redis-server');

export const hasRedis = SERVER !== undefined;

/** Starts Redis on loopback; what it has acknowledged is on disk, so that a kill loses nothing. @param more further settings. */
export async function startRedis(more: Record<string, string> = {}): Promise<Redis> {
  if (!SERVER) throw new Error('Redis is not installed; apt-get install redis-server');
  const home = await mkdtemp(join(tmpdir(), 'hapax-redis-'));
  const port = await steadyPort();
  const settings = {
    bind: '127.0.0.1',
    port: `${port}`,
    dir: home,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    ...more,
  };
  let server: ServerProcess | undefined;
  const it: Redis = {
    url: `redis://127.0.0.1:${port}/0`,
    async start() {
      server = serverProcess(
        SERVER,
        Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
        { HOME: home },
      );
      await eventually(() => {
        if (!server?.running) throw new Error('Redis ended');
        return pong(port);
      });
    },
    stop: async (signal = 'SIGTERM') => server?.stop(signal),
    async close() {
      await it.stop('SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
  await it.start();
  return it;
}

function pong(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => {
      socket.destroy();
      if (answer.toString().startsWith('+PONG')) resolve();
      else reject(new Error(answer.toString()));
    });
    socket.once('error', reject);
  });
}
