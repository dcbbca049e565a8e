import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A way to a server of this machine that can be frozen: connections stay open, and nothing comes through any more, as where the
 * network drops packets or the server hangs. It can be cut as well: then connections break, as where the server is away.
 */
export async function startFreezingProxy(port: number) {
  let frozen = false;
  let isCut = false;
  let last: Buffer | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const behind = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (frozen) return;
        to.write(chunk);
        if (from === behind && last && chunk.includes(last)) frozen = true;
      });
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      frozen = true;
    },
    cut() {
      isCut = true;
      drop();
    },
    mend() {
      isCut = false;
    },
    /** Freezes once the server has said this. */
    freezeAfter(said: Buffer) {
      last = said;
    },
    async close() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
