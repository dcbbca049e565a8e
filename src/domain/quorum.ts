/** A word of a query, and how much it counts. */
export interface WeightedWord {
  /** As a tsquery of Postgres has it, quoted. */
  term: string;
  weight: number;
}

/**
 * The tsquery that fits every text which has at least this share of the words' weight. It grows with the number of subsets
 * that do: to a few thousand characters for eight words.
 * @param share above 0, below 1.
 */
export function quorumOf(words: readonly WeightedWord[], share: number): string {
  const total = words.reduce((sum, { weight }) => sum + weight, 0);
  return fitting(words, share * total) ?? '';
}

/** What of the words has so much weight, as a tsquery; undefined where all of them have not. */
function fitting(words: readonly WeightedWord[], needed: number): string | undefined {
  const [first, ...rest] = words;
  if (!first) return undefined;
  const beside = first.weight >= needed ? undefined : fitting(rest, needed - first.weight);
  const without = fitting(rest, needed);
  const having = first.weight >= needed ? first.term : beside && `${first.term} & (${beside})`;
  return having && without ? `${having} | ${without}` : (having ?? without);
}
