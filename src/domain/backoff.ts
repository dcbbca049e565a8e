/**
 * Returns the pause before the next try in milliseconds: `first` doubled for each earlier try, at most `cap`, plus up to a quarter of
 * jitter, so that tries that failed together do not return together.
 * @param random a number from 0 to 1, drawn by the caller.
 */
export function backoff(earlierTries: number, first: number, cap: number, random: number): number {
  return Math.round(Math.min(first * 2 ** earlierTries, cap) * (1 + random / 4));
}
