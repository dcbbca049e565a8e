/**
 * Returns the pause before the next try in milliseconds: `first` doubled for each earlier try, at most `cap`, plus up to a quarter of
 * jitter, so that tries that failed together do not return together.
 * @param random a number from 0 to 1, drawn by the caller.
 */
export function backoff(earlierTries: number, first: number, cap: number, random: number): number {
  return Math.round(Math.min(first * 2 ** earlierTries, cap) * (1 + random / 4));
}

/** The longest pause of a workflow: about a hundred years. A timer of Temporal, and the date on which it ends, have a limit. */
const LONGEST_POSSIBLE_MS = 3e12;

/** Returns a pause in milliseconds that somebody else asked for as a workflow can make it. */
export function possiblePause(ms: number): number {
  return Math.min(Math.max(ms || 0, 0), LONGEST_POSSIBLE_MS);
}
