/** A word of a query, and how much it counts. */
export interface WeightedWord {
  /** A tsquery of Postgres that finds it in any form; in brackets if it has several lexemes. */
  term: string;
  weight: number;
}

/**
 * Returns a tsquery that matches the texts with at least this share of the weight of all words. Its length grows with the number of
 * subsets that have this much: a few thousand characters for eight words.
 * @param share above 0, below 1.
 */
export function quorumOf(words: readonly WeightedWord[], share: number): string {
  const total = words.reduce((sum, { weight }) => sum + weight, 0);
  return fitting(words, share * total) ?? '';
}

/** Returns a tsquery for the subsets of the words with this much weight; undefined if even all words have less. */
function fitting(words: readonly WeightedWord[], needed: number): string | undefined {
  const [first, ...rest] = words;
  if (!first) return undefined;
  const beside = first.weight >= needed ? undefined : fitting(rest, needed - first.weight);
  const without = fitting(rest, needed);
  const having = first.weight >= needed ? first.term : beside && `${first.term} & (${beside})`;
  return having && without ? `${having} | ${without}` : (having ?? without);
}
