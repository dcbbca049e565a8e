import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Once the start is over: the collection takes up to 140 ms, in which nothing else runs in this thread. */
const AFTER_MS = 2_000;

/**
 * Gives back what loading took in this thread (100 MB in the main one), which V8 would keep until the heap grows, and it does not grow in
 * an idle process. Every thread has a heap of its own.
 */
export function collectGarbageOfStart(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, AFTER_MS).unref();
}
