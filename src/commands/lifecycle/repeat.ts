import { setTimeout as delay } from 'node:timers/promises';

/** Work that goes on in the background until it is stopped. */
export interface Repeating {
  /** Ends the present pause. */
  wake(): void;
  /** Aborts the signal, and waits until the present work has ended. */
  stop(): Promise<void>;
}

/**
 * Does work again and again. The work must not throw, and returns the pause after it in milliseconds.
 * @param first the pause before the first time. Omitted: the work begins now.
 */
export function repeat(work: (signal: AbortSignal) => Promise<number>, first?: number | Promise<number>): Repeating {
  const stopping = new AbortController();
  const { signal } = stopping;
  let wake = () => {};
  const working = (async () => {
    let pauseMs = await (first ?? work(signal));
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([woken, delay(pauseMs, undefined, { signal, ref: false }).catch(() => {})]);
      if (!signal.aborted) pauseMs = await work(signal);
    }
  })();
  return {
    wake: () => wake(),
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
