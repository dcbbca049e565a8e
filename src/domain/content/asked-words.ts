import {
  dictionaryWordsOf,
  gramsOf,
  indexedForm,
  quoted,
  type Stems,
  shortened,
  stemmableOf,
  type Word,
  type WordGroup,
  wordGroupsOf,
} from './search-words.ts';

/** A word of a query. */
export interface AskedWord {
  /** A tsquery that finds it in any form; in brackets if it has several lexemes. */
  term: string;
  /** A tsquery for the word as written; its matches come first. */
  exact: string;
  /** The lexeme of `term`, if it has only one; Postgres may know how common it is. */
  lexeme?: string | undefined;
  /** The word that this one is a part of. A part counts only if no text has the whole word. */
  partOf?: AskedWord | undefined;
}

/** The words and phrases that a query asks for. */
export interface Asked {
  words: AskedWord[];
  /** Words in a row, because they are in quotes or because they are common and mean nothing alone. */
  phrases: AskedWord[];
  /** The query as written, a tsquery; texts that have it come first. */
  verbatim: string | undefined;
}

/** The longest run of Chinese, Japanese or Korean characters that counts as one word, besides the words in it. */
const LONGEST_CJK_WORD = 4;
const LONGEST_UNSPACED_WORD = 16;
/** How many lexemes of a word or phrase are looked for; longer ones are cut. */
const MOST_LEXEMES = 12;
/** How many words of a query count: the longest, since they tend to be rare. */
const COUNTED_WORDS = 32;

/** Particles, which are in every Chinese or Japanese text. */
const PARTICLE = /^[\p{Script=Hiragana}的了是在和]$/u;

export { stemmableOf, wordGroupsOf };

/** Reads a query that is cut into words. @param text the query, to find what is in quotes. */
export function askedWordsOf(text: string, groups: readonly WordGroup[], stems: Stems): Asked {
  const words = unique(groups.flatMap((group) => wordsOfGroup(group, stems)));
  const meaningful = words.filter(({ lexeme = '' }) => !stems.has(lexeme) || stems.get(lexeme) !== null);
  const sayable = meaningful.filter(({ lexeme = '' }) => !PARTICLE.test(lexeme));
  const phrases = [...text.matchAll(/["“„«「]([^"“”„«»「」]+)["”“»」]/g)].flatMap(([, inner = '']) =>
    phraseWordOf(wordGroupsOf(inner), stems),
  );
  // "To be or not to be": such words mean something only together.
  if (meaningful.length === 0) phrases.push(...phraseWordOf(groups, stems));
  const kept = [sayable, meaningful, words].find((some) => some.length > 0) ?? [];
  const length = ({ lexeme, term }: AskedWord) => (lexeme ?? term).length;
  return {
    words: kept.toSorted((one, other) => length(other) - length(one)).slice(0, COUNTED_WORDS),
    phrases: unique(phrases).slice(0, 4),
    verbatim: phraseOf(
      groups.flatMap(({ words: all }) => all),
      stems,
    ),
  };
}

function unique(words: AskedWord[]): AskedWord[] {
  return [...new Map(words.toReversed().map((word) => [word.term, word])).values()].toReversed();
}

function wordsOfGroup({ words, whole, joined }: WordGroup, stems: Stems): AskedWord[] {
  const each = words.flatMap((word) => wordsOf(word, stems));
  if (whole === undefined || each.length < 2) return each;
  const together = [whole, ...(joined === undefined ? [] : [indexedForm(joined, stems)])].map(quoted);
  const all = bracketed(
    words.map(({ folded }) => quoted(indexedForm(folded, stems))),
    ' & ',
  );
  const group: AskedWord = { term: bracketed([...together, all], ' | '), exact: quoted(whole) };
  return [group, ...each.map((word) => ({ ...word, partOf: group }))];
}

function wordsOf(word: Word, stems: Stems): AskedWord[] {
  if (word.kind === 'cjk') return cjkWordsOf(word.folded);
  if (word.kind === 'unspaced') return unspacedWordsOf(word.folded);
  const lexeme = indexedForm(word.folded, stems);
  // A stop word is looked for as itself.
  return [{ term: quoted(lexeme), exact: quoted(word.written), lexeme }];
}

/** Returns the words of a run of Chinese, Japanese or Korean: the whole run if it is short, and its words by the dictionary. */
function cjkWordsOf(run: string): AskedWord[] {
  const isShort = [...run].length <= LONGEST_CJK_WORD;
  const parts = dictionaryWordsOf(run);
  if (parts.length < 2) return [cjkWordOf(run), ...stemsOfKorean(run)];
  const words: AskedWord[] = isShort ? [cjkWordOf(run)] : [];
  for (let at = 0; at < parts.length; ) {
    const part = parts[at++] ?? '';
    let singles = [...part].length === 1 ? part : '';
    if (singles === '') {
      words.push(cjkWordOf(part), ...stemsOfKorean(part));
      continue;
    }
    // Characters in a row that the dictionary has no word for are mostly one word.
    while (at < parts.length && [...(parts[at] ?? '')].length === 1) singles += parts[at++];
    const group = cjkWordOf(singles);
    words.push(group);
    if ([...singles].length > 1) words.push(...[...singles].map((one) => ({ ...cjkWordOf(one), partOf: group })));
  }
  return words;
}

/**
 * Returns a Korean word without its last syllable, and its first two syllables. Korean nouns carry their particles, so texts may have
 * the same noun with other particles.
 */
function stemsOfKorean(word: string): AskedWord[] {
  const syllables = [...word];
  if (!/^\p{Script=Hangul}{3,}$/u.test(word)) return [];
  const partOf = cjkWordOf(word);
  const lengths = new Set([syllables.length - 1, 2]);
  return [...lengths].map((length) => ({ ...cjkWordOf(syllables.slice(0, length).join('')), partOf }));
}

function cjkWordOf(word: string): AskedWord {
  const characters = [...word];
  if (characters.length <= 2) return { term: quoted(word), exact: quoted(word), lexeme: word };
  const grams = gramsOf(word, 2).slice(0, MOST_LEXEMES).map(quoted);
  return { term: bracketed(grams, ' & '), exact: bracketed(grams, ' <-> ') };
}

/** Returns the words of a run of Thai or a similar script: by the dictionary, or wherever their characters follow each other. */
function unspacedWordsOf(run: string): AskedWord[] {
  const parts = dictionaryWordsOf(run);
  const words = parts.map((part) => {
    const grams = gramsOf(part, 3).slice(0, MOST_LEXEMES).map(quoted);
    const exact = quoted(shortened(part));
    if (grams.length === 0) return { term: exact, exact, lexeme: shortened(part) };
    return { term: bracketed([exact, bracketed(grams, ' & ')], ' | '), exact };
  });
  if (parts.length < 2 || [...run].length > LONGEST_UNSPACED_WORD) return words;
  const grams = bracketed(gramsOf(run, 3).map(quoted), ' & ');
  return [...(grams === '' ? [] : [{ term: grams, exact: grams }]), ...words];
}

function phraseWordOf(groups: readonly WordGroup[], stems: Stems): AskedWord[] {
  const words = groups.flatMap((group) => group.words);
  const exact = phraseOf(words, stems);
  if (exact === undefined) return [];
  const lexemes = [...new Set(placesOf(words, stems).map(({ lexeme }) => quoted(lexeme)))];
  return [{ term: bracketed(lexemes, ' & '), exact }];
}

/** Returns words in a row as a tsquery; undefined if there are fewer than two. */
function phraseOf(words: readonly Word[], stems: Stems): string | undefined {
  const places = placesOf(words, stems);
  let [phrase = '', before = 0] = [quoted(places[0]?.lexeme ?? ''), places[0]?.position];
  for (const { lexeme, position } of places.slice(1)) {
    phrase += ` <${position - before}> ${quoted(lexeme)}`;
    before = position;
  }
  return places.length > 1 ? `(${phrase})` : undefined;
}

function placesOf(words: readonly Word[], stems: Stems): Array<{ lexeme: string; position: number }> {
  const places = words.flatMap((word) => {
    // Thai characters have no positions of their own.
    if (word.kind === 'unspaced') return [];
    if (word.kind !== 'cjk') return [{ lexeme: indexedForm(word.folded, stems), position: word.position }];
    const grams = [...word.folded].length > 1 ? gramsOf(word.folded, 2) : [word.folded];
    return grams.map((lexeme, index) => ({ lexeme, position: word.position + index }));
  });
  return places.slice(0, MOST_LEXEMES);
}

function bracketed(terms: readonly string[], operator: string): string {
  return terms.length > 1 ? `(${terms.join(operator)})` : (terms[0] ?? '');
}
