import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';

/** A server that listens. */
export interface Listening {
  url: string;
  /** Stops accepting, ends live streams, and returns when all requests are answered. */
  close(): Promise<void>;
}

/** How long requests that are being answered may take when the server closes; streams end at once. */
const DRAIN_MS = 5_000;

/**
 * An idle connection is kept for longer than load balancers keep theirs (60 s is usual). If the server closed it first, a
 * request sent at that moment would meet a reset, with no way to know whether it arrived. Node's default is 5 s.
 */
const KEEP_ALIVE_MS = 75_000;

/** Serves requests on an address. @throws where it is in use. */
export async function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  hostname: string,
  port: number,
): Promise<Listening> {
  const server = await new Promise<ServerType>((resolve, reject) => {
    const opening = serve({ fetch, hostname, port }, () => resolve(opening));
    opening.once('error', reject);
  });
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_MS;
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, close: () => closeServer(server) };
}

function closeServer(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeIdleConnections' in server) server.closeIdleConnections();
    setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), DRAIN_MS).unref();
  });
}
