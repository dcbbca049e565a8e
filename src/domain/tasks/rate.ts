/** A rate limit as Celery writes it: `10`, `0.5/s`, `10/m`, `100/h`. `0` and the empty text mean no limit. */
const RATE = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Returns the milliseconds from one start to the next, 0 for no limit; or what Python says about a text that is not a rate. */
export function readRate(text: string): { intervalMs: number } | { fault: string } {
  if (text === '') return { intervalMs: 0 };
  const [, count, unit = 's'] = RATE.exec(text) ?? [];
  if (count === undefined) {
    const [number = '', modifier] = text.split(/\/(.*)/s);
    if (/^\d+(\.\d+)?$/.test(number)) return { fault: `KeyError('${modifier}')` };
    return { fault: `ValueError("could not convert string to float: '${number}'")` };
  }
  return { intervalMs: Number(count) === 0 ? 0 : UNIT_MS[unit as keyof typeof UNIT_MS] / Number(count) };
}

/** The pace at which tasks of one name start. Times in milliseconds since 1970. */
export interface Pace {
  readonly intervalMs: number;
  readonly nextAt: number;
  /** The end of the turns that were promised to tasks that have to wait. */
  readonly promisedUntil: number;
}

export function paceOf(intervalMs: number): Pace {
  return { intervalMs, nextAt: 0, promisedUntil: 0 };
}

/** A task that takes its turn no later than this does not delay the tasks after it; milliseconds. */
const LATE_MS = 500;

/**
 * Asks for a turn. Each task that has to wait is promised a turn of its own, so that they do not all come back at once.
 * @returns how long to wait, in milliseconds; 0 if it may start now.
 */
export function takeTurn(pace: Pace, now: number): { pace: Pace; waitMs: number } {
  const { intervalMs, nextAt, promisedUntil } = pace;
  if (now >= nextAt) {
    const isLate = now - nextAt <= Math.min(LATE_MS, intervalMs / 2);
    return { pace: { ...pace, nextAt: (isLate ? nextAt : now) + intervalMs }, waitMs: 0 };
  }
  const promised = Math.max(nextAt, promisedUntil);
  return { pace: { ...pace, promisedUntil: promised + intervalMs }, waitMs: Math.ceil(promised - now) };
}
