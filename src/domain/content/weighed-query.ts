import type { WeightedWord } from '../celery/quorum.ts';
import type { Asked } from './asked-words.ts';

/** How many words are weighed. More change little, and cost time. */
const WEIGHED_WORDS = 8;

/** A word with a tsquery that finds it as written. */
export type WeighedWord = WeightedWord & { exact: string };

/** The words and phrases of a query that chunks have. */
export interface WeighedQuery {
  /** Rarest first: the rarer a word, the more it weighs (inverse document frequency). */
  words: WeighedWord[];
  /** Phrases weigh as much as the rarest word. */
  phrases: WeighedWord[];
  /** The query as written, a tsquery. */
  verbatim: string | undefined;
  /** Whether each of its words is in some chunk. */
  complete: boolean;
  /** Whether it has any word at all. */
  asks: boolean;
}

/** A query without a word. */
export const ASKS_NOTHING: WeighedQuery = { words: [], phrases: [], verbatim: undefined, complete: false, asks: false };

/**
 * Leaves out words and phrases that no chunk has.
 * @param weights the weight of each word; undefined if no chunk has it.
 * @param hasPhrase for each phrase, whether a chunk has it.
 */
export function weighedQueryOf(
  asked: Asked,
  weights: ReadonlyArray<number | undefined>,
  hasPhrase: readonly boolean[],
): WeighedQuery {
  // If some text has the whole word, its parts add nothing.
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
