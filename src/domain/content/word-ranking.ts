import { quorumOf } from '../celery/quorum.ts';
import type { Asked } from './asked-words.ts';
import { hasLexemes, type Lexemes, lexemeRank, lexemesOf, readLexemeQuery } from './lexeme-query.ts';
import { type WeighedQuery, weighedQueryOf } from './weighed-query.ts';

/** The share of the query's weight that a chunk needs to be an answer. A question shares words with many texts that do not answer it. */
export const QUORUM = 0.6;
/** In a search by words alone, chunks with one of this many of the rarest words are ranked too. */
export const RARE_WORDS = 4;
/** Fewer chunks than this say little about how rare a word is. */
const FEW_CHUNKS = 10_000;

/** Returns all lexemes that find chunks which may answer the query. */
export function soughtLexemes({ words, phrases }: Asked): string[] {
  return [...new Set([...words, ...phrases].flatMap(({ term }) => lexemesOf(readLexemeQuery(term)!)))];
}

/**
 * Weighs the words of a query by the chunks that were found with one of its lexemes, for stores that do not count. If all such chunks
 * are given, the weights are as in a database that counts.
 */
export function weighAmong(asked: Asked, candidates: readonly Lexemes[]): WeighedQuery {
  const weights = asked.words.map(({ term }) => {
    const query = readLexemeQuery(term)!;
    const frequency = candidates.filter((lexemes) => hasLexemes(lexemes, query)).length;
    return frequency === 0 ? undefined : Math.log(1 + FEW_CHUNKS / frequency);
  });
  const hasPhrase = asked.phrases.map(({ exact }) => {
    const query = readLexemeQuery(exact)!;
    return candidates.some((lexemes) => hasLexemes(lexemes, query));
  });
  return weighedQueryOf(asked, weights, hasPhrase);
}

/**
 * Ranks chunks by the words that they share with the query, best first. Rare words count more than common ones, words of the title
 * more than others, and words as they were asked for more than their other forms.
 * @param alone whether this is the only ranking: then a chunk that has little of the query is better than none.
 * @returns places among the candidates, and whether the chunk has every word.
 */
export function rankByWords(
  { words, phrases, verbatim, complete }: WeighedQuery,
  candidates: readonly Lexemes[],
  alone: boolean,
): Array<{ index: number; has_all: boolean }> {
  if (words.length === 0) return [];
  const rare = alone ? words.slice(0, RARE_WORDS).map(({ term }) => term) : [];
  const sought = [quorumOf(words, QUORUM), ...rare, ...phrases.map(({ exact }) => exact)].map(
    (it) => readLexemeQuery(it)!,
  );
  const asked = [...words, ...phrases.map((phrase) => ({ ...phrase, term: phrase.exact }))].map((word) => ({
    weight: word.weight,
    term: readLexemeQuery(word.term)!,
    exact: readLexemeQuery(word.exact)!,
  }));
  const whole = verbatim === undefined ? undefined : readLexemeQuery(verbatim);
  return candidates
    .map((lexemes, index) => ({ lexemes, index }))
    .filter(({ lexemes }) => sought.some((query) => hasLexemes(lexemes, query)))
    .map(({ lexemes, index }) => {
      const sum = asked.reduce(
        (score, { term, exact, weight }) => score + weight * (lexemeRank(lexemes, term) + lexemeRank(lexemes, exact)),
        0,
      );
      const score = sum + (whole && hasLexemes(lexemes, whole) ? (words[0]?.weight ?? 0) : 0);
      return { index, score, has_all: complete && asked.every(({ term }) => hasLexemes(lexemes, term)) };
    })
    .toSorted((one, other) => other.score - one.score)
    .map(({ index, has_all }) => ({ index, has_all }));
}
