import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came, as it came. */
export interface Received {
  at: number;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** How a receiver treats a request. */
export type Manner = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers with a status. */
export const answers =
  (status: number, headers: Record<string, string> = {}, body = ''): Manner =>
  (response) =>
    response.writeHead(status, headers).end(body);
export const hangs: Manner = () => {};
export const resets: Manner = (_response, { socket }) => socket.resetAndDestroy();

/** A real HTTP server on loopback that keeps all it is sent and treats it as it is told; at first it answers 204. */
export async function openReceiver() {
  const received: Received[] = [];
  let manners: Manner[] = [answers(204)];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      received.push({ at: Date.now(), path, headers, body: Buffer.concat(chunks).toString('utf8') });
      const manner = manners.length > 1 ? manners.shift()! : manners[0]!;
      manner(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/hook?token=hush-hush`,
    received,
    /** The last of them stands for all that come after. */
    behave(...next: Manner[]) {
      manners = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
export type Receiver = Awaited<ReturnType<typeof openReceiver>>;
