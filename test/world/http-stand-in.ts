import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a stand-in sees it. */
export interface Asked {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: string;
}

/** What it answers; 'hang' says nothing, 'reset' breaks the connection. */
export type Answer =
  | { status?: number; headers?: Record<string, string>; body: string | Buffer | object }
  | 'hang'
  | 'reset';

/** A real HTTP server on loopback that answers as told. */
export async function startStandIn(answer: (asked: Asked) => Answer | Promise<Answer>) {
  const server = createServer((request, response) => {
    void respond(request, response).catch(() => response.destroy());
  });
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const body = Buffer.concat(chunks).toString();
    const given = await answer({ method: request.method ?? '', url, headers: request.headers, body });
    if (given === 'hang') return;
    if (given === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const plain = typeof given.body === 'string' || Buffer.isBuffer(given.body);
    response.writeHead(given.status ?? 200, {
      'content-type': plain ? 'text/html; charset=utf-8' : 'application/json',
      ...given.headers,
    });
    response.end(plain ? given.body : JSON.stringify(given.body));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
