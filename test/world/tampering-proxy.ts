import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server of this machine that changes what passes, as where memory or a cable is bad. */
export async function startTamperingProxy(port: number) {
  let replace: [from: string, to: string] | undefined;
  const sockets = new Set<Socket>();
  const changed = (chunk: Buffer) =>
    replace ? Buffer.from(chunk.toString('latin1').replaceAll(...replace), 'latin1') : chunk;
  const server = createServer((client) => {
    const behind = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(from);
      // Only bodies: a changed path or signature would be refused for another reason.
      from.on('data', (chunk) => {
        const body = chunk.indexOf('\r\n\r\n');
        to.write(Buffer.concat([chunk.subarray(0, Math.max(body, 0)), changed(chunk.subarray(Math.max(body, 0)))]));
      });
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    /** From now on, in both directions. Both of one length. */
    change(from: string, to: string) {
      replace = [from, to];
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
