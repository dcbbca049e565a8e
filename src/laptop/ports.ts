import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

/** Returns a port of 127.0.0.1 on which nothing listens. */
export function freePort(): Promise<number> {
  return listen('127.0.0.1', 0);
}

/** Unprivileged ports that browsers refuse to connect to ("port blocking" of the Fetch standard). */
const NOT_FOR_BROWSERS = [
  ...[
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
  ],
];

/** Returns a random free port of an address that no web page can reach; undefined if all are taken. */
export async function portNotForBrowsers(host: string): Promise<number | undefined> {
  const free = await Promise.allSettled(NOT_FOR_BROWSERS.map((port) => listen(host, port)));
  const ports = free.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return ports[Math.floor(Math.random() * ports.length)];
}

/** Returns the port if nothing listens on it, else any free one; 0 stands for any. */
export function preferPort(port: number): Promise<number> {
  return listen('127.0.0.1', port).catch(freePort);
}

/** @throws {UserError} that names the setting to change, if something already listens on the port. */
export async function assertPortFree(host: string, port: number, setting: string): Promise<void> {
  try {
    await listen(host, port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new UserError(`port ${port} is in use (${setting}): stop the other program or set ${setting}`);
    if (code === 'EACCES')
      throw new UserError(`port ${port} needs more rights (${setting}): set ${setting} to one above 1023`);
    throw new UserError(`cannot listen on ${host} port ${port} (${setting}): ${message}`);
  }
}

function listen(host: string, port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}
