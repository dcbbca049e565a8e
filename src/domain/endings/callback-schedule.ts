const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses after the first failed tries; later ones double, up to the longest. */
const FIRST_PAUSES_MS = [1, 2, 5, 15, 60, 300, 1_800, 7_200].map((seconds) => seconds * SECOND);
const LONGEST_PAUSE_MS = 12 * HOUR;

/** How long a callback is tried, from its first try. The last try is at the end of this time. */
export const CALLBACK_TRIED_FOR_MS = 72 * HOUR;

/**
 * Returns the pause before the next try in milliseconds, with up to a quarter of jitter; undefined if no further try is due.
 * @param failures tries that failed in a row, at least 1.
 * @param elapsedMs since the first try.
 * @param waitMs the shortest pause that the receiver asks for.
 * @param random a number from 0 to 1, drawn by the caller.
 */
export function callbackPause(failures: number, elapsedMs: number, waitMs: number, random: number): number | undefined {
  const left = CALLBACK_TRIED_FOR_MS - elapsedMs;
  if (left <= 0 || waitMs > left) return undefined;
  const listed = Math.min(failures, FIRST_PAUSES_MS.length);
  const scheduled = Math.min(FIRST_PAUSES_MS[listed - 1]! * 2 ** (failures - listed), LONGEST_PAUSE_MS);
  const pause = scheduled * (1 + random / 4);
  return Math.round(Math.min(Math.max(pause, waitMs), left));
}
