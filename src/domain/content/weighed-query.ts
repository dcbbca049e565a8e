import type { WeightedWord } from '../celery/quorum.ts';
import type { Asked } from './asked-words.ts';

/** More words than these change little, and cost. */
const WEIGHED_WORDS = 8;

/** A word with what finds it as it is written, a tsquery. */
export type WeighedWord = WeightedWord & { exact: string };

/** What a query asks for, as far as there are chunks that have it. */
export interface WeighedQuery {
  /** The rarest first: the rarer, the more one weighs (inverse document frequency). */
  words: WeighedWord[];
  /** Phrases weigh as much as the rarest word. */
  phrases: WeighedWord[];
  /** The query as it is written, a tsquery. */
  verbatim: string | undefined;
  /** Whether there are chunks for each of its words. */
  complete: boolean;
  /** Whether it has any word at all. */
  asks: boolean;
}

/** A query without a word. */
export const ASKS_NOTHING: WeighedQuery = { words: [], phrases: [], verbatim: undefined, complete: false, asks: false };

/**
 * Leaves out what no chunk has.
 * @param weights of each word its weight, undefined if no chunk has it.
 * @param hasPhrase of each phrase whether a chunk has it.
 */
export function weighedQueryOf(
  asked: Asked,
  weights: ReadonlyArray<number | undefined>,
  hasPhrase: readonly boolean[],
): WeighedQuery {
  // Where a text has the whole word, its parts say nothing.
  const found = new Set(asked.words.filter((_, index) => weights[index] !== undefined));
  const counted = asked.words.flatMap((word, index) => {
    const weight = weights[index];
    const isPart = word.partOf !== undefined && found.has(word.partOf);
    return weight === undefined || isPart ? [] : [{ term: word.term, exact: word.exact, weight }];
  });
  const wanted = asked.words.filter((word) => word.partOf === undefined);
  const rarest = counted.toSorted((one, other) => other.weight - one.weight).slice(0, WEIGHED_WORDS);
  const heaviest = rarest[0]?.weight ?? 1;
  return {
    words: rarest,
    phrases: asked.phrases
      .filter((_, index) => hasPhrase[index])
      .map(({ term, exact }) => ({ term, exact, weight: heaviest })),
    verbatim: asked.verbatim,
    complete: wanted.every((word) => found.has(word)) && rarest.length >= Math.min(wanted.length, WEIGHED_WORDS),
    asks: true,
  };
}
