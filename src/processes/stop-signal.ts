import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** npm passes on a signal that the terminal has already sent to us, so one Ctrl-C arrives twice. */
const SAME_MS = 500;

/** Resolves with the name of the first SIGINT, SIGTERM or SIGHUP. A later one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stop = (signal: NodeJS.Signals) => {
      if (askedAt !== undefined && Date.now() - askedAt > SAME_MS) process.exit(130);
      askedAt ??= Date.now();
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}

/** How long a start may go on once it is told to stop. Most are ready by then, and stop in order. */
const READY_WITHIN_MS = 5_000;

/**
 * Returns what a start has started, unless the process is told to stop before. Then it stops what there is and ends the process.
 * @param clean what else to do before the process ends.
 */
export async function unlessStopped<Started extends { close(): Promise<void> }>(
  starting: Promise<Started>,
  stopping: Promise<NodeJS.Signals>,
  { say, clean }: { say(line: string): void; clean?(): Promise<void> },
): Promise<Started> {
  const first = await Promise.race([starting, stopping]);
  if (typeof first !== 'string') return first;
  say('stopping ...');
  // What still waits for a server ends with the process, and so does Temporal's server, whose guard sees that.
  const started = await Promise.race([starting.catch(() => undefined), delay(READY_WITHIN_MS)]);
  await started?.close();
  await clean?.();
  process.exit(128 + constants.signals[first]);
}
