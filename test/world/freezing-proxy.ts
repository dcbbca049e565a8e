import { startProxy } from './proxy.ts';

/**
 * A way to a server of this machine that can be frozen: connections stay open, and nothing comes through any more, as where the
 * network drops packets or the server hangs. It can be cut as well: then connections break, as where the server is away.
 */
export async function startFreezingProxy(port: number) {
  let frozen = false;
  let isCut = false;
  let last: Buffer | undefined;
  let kept = 0;
  const { drop, ...proxy } = await startProxy(port, {
    admits: () => !isCut,
    pass(chunk, from) {
      if (frozen && from === 'client') kept += 1;
      if (frozen) return undefined;
      if (from === 'server' && last && chunk.includes(last)) frozen = true;
      return chunk;
    },
  });
  return {
    ...proxy,
    freeze() {
      kept = 0;
      frozen = true;
    },
    /** How much a client has sent since it is frozen, which nobody responds to. */
    get kept() {
      return kept;
    },
    /** New connections work again. What came meanwhile is lost. */
    thaw() {
      frozen = false;
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
  };
}
