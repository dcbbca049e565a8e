import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How long to wait after the start: a collection takes up to 140 ms and blocks this thread. */
const AFTER_MS = 2_000;

/**
 * Frees the memory that loading took in this thread (100 MB in the main one). V8 would keep it until the heap grows, and an idle
 * process's heap does not grow. Every thread has its own heap.
 */
export function collectGarbageOfStart(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, AFTER_MS).unref();
}
