import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a proxy does with what passes. */
export interface Manner {
  /** Whether a client that connects now is let in. Default: yes. */
  admits?(): boolean;
  /** What goes on in place of a chunk; undefined: nothing. @param from who sent it. */
  pass(chunk: Buffer, from: 'client' | 'server'): Buffer | undefined;
}

/** A way to a server of this machine on a port of its own, which disturbs what passes. */
export async function startProxy(port: number, { admits, pass }: Manner) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (admits?.() === false) return void client.destroy();
    const behind = connect(port, '127.0.0.1');
    for (const [from, to, who] of [
      [client, behind, 'client'],
      [behind, client, 'server'],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        const passed = pass(chunk, who);
        if (passed) to.write(passed);
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
    /** Breaks all connections. */
    drop,
    async close() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
