import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Stands before Hapax; of the next POSTs it passes on, so many responses get lost. */
export async function startLossyProxy(target: string) {
  let losses = 0;
  const keys: Array<string | undefined> = [];
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const { method, url, headers } = incoming;
    const isLost = method === 'POST' && losses-- > 0;
    if (method === 'POST') keys.push(headers['idempotency-key'] as string | undefined);
    const passed = request(`${target}${url}`, { method, headers }, (answer) => {
      answer.on('error', () => {});
      if (isLost) return void incoming.socket.destroy();
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => incoming.socket.destroy());
    passed.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The idempotency keys of the POSTs so far. */
    keys,
    lose(count: number) {
      losses = count;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
