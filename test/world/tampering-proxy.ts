import { startProxy } from './proxy.ts';

/** A way to a server of this machine that changes what passes, as where memory or a cable is bad. */
export async function startTamperingProxy(port: number) {
  let replace: [from: string, to: string] | undefined;
  const changed = (chunk: Buffer) =>
    replace ? Buffer.from(chunk.toString('latin1').replaceAll(...replace), 'latin1') : chunk;
  const { drop: _, ...proxy } = await startProxy(port, {
    // Only bodies: a changed path or signature would be refused for another reason.
    pass(chunk) {
      const body = Math.max(chunk.indexOf('\r\n\r\n'), 0);
      return Buffer.concat([chunk.subarray(0, body), changed(chunk.subarray(body))]);
    },
  });
  return {
    ...proxy,
    /** From now on, in both directions. Both of one length. */
    change(from: string, to: string) {
      replace = [from, to];
    },
  };
}
