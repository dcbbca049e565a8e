import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

/** A port of 127.0.0.1 that nothing listens on. */
export function freePort(): Promise<number> {
  return listen('127.0.0.1', 0);
}

/** The port if nothing listens on it, else any that is free. */
export function preferPort(port: number): Promise<number> {
  return listen('127.0.0.1', port).catch(freePort);
}

/** Throws, naming the setting to change, if something listens on the port already. */
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
