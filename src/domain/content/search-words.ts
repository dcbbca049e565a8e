/**
 * Cuts texts into words for search. Postgres's own parser finds words by their spaces, and drops characters that it does not know as
 * letters. So words are cut here, for texts and queries alike and on every Postgres.
 */

/** Words written together without a space, such as `well-known`, `node.js` or `GPT-4模型`; mostly one word. */
export interface WordGroup {
  words: Word[];
  /** Several words as written together, with the characters between them: `well-known`. */
  whole?: string;
  /** Several words without the hyphens and apostrophes between them: `email` for `e-mail`. */
  joined?: string;
}

export interface Word {
  /**
   * `spaced`: a word of a script that puts spaces between words. `cjk`: a run of Chinese, Japanese or Korean characters, each with a
   * position of its own. `unspaced`: a run of Thai, Lao, Khmer or Burmese. `symbol`: an emoji or sign.
   */
  kind: 'spaced' | 'cjk' | 'unspaced' | 'symbol';
  /** Position among the words of its text, from 1. */
  position: number;
  /** In lower case. */
  written: string;
  /** Without case and accents. */
  folded: string;
  /** For `getUserName`: get, user, name; for `C++`: c. */
  parts: string[];
}

/** The stems of English words; null for stop words, which every English text has. */
export type Stems = ReadonlyMap<string, string | null>;

/** How many characters of a word are kept. */
const LONGEST_WORD = 60;

const CJK = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}ー々〆ヶ';
const UNSPACED = '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const LETTERS = '[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}]*(?:\\+\\+|#(?![\\p{L}\\p{N}]))?';
const JOINERS = "[-‐‑_./:@'&\\\\>]{1,3}";
const SYMBOL = '\\p{Regional_Indicator}{2}|[\\p{Extended_Pictographic}\\p{So}\\p{Sc}]';
const GROUPS = new RegExp(`${LETTERS}(?:${JOINERS}${LETTERS})*|${SYMBOL}`, 'gu');
const RUNS = new RegExp(`[${CJK}]+|[${UNSPACED}]+|[^${CJK}${UNSPACED}]+`, 'gu');
const IS_CJK = new RegExp(`^[${CJK}]`, 'u');
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u');
const IS_SYMBOL = new RegExp(`^(?:${SYMBOL})$`, 'u');

/** Marks that may be left out in writing: accents of Latin, Greek and Cyrillic letters, vowels of Arabic and Hebrew. */
const OPTIONAL_MARKS = /[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]/g;
/** Letters that Unicode treats as letters of their own, and people as variants of others. */
const VARIANTS: Record<string, string> = { æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ħ: 'h', ı: 'i' };

/** Returns the words of a text, in order. */
export function wordGroupsOf(text: string): WordGroup[] {
  const groups: WordGroup[] = [];
  let position = 1;
  for (const [group] of readable(text).matchAll(GROUPS)) {
    const words: Word[] = [];
    // "The king's" is "the king".
    for (const [letters] of group.replace(/(?<=\p{L})'s$/iu, '').matchAll(new RegExp(`${LETTERS}|${SYMBOL}`, 'gu'))) {
      for (const [run] of letters.matchAll(RUNS)) {
        const word = wordOf(run, position);
        // The run is only marks.
        if (word.folded === '') continue;
        position += word.kind === 'cjk' ? [...word.folded].length : 1;
        words.push(word);
      }
    }
    groups.push({ words, ...(words.length > 1 ? togetherOf(group, words) : {}) });
  }
  return groups;
}

/** Unifies compatible forms, and removes invisible characters. */
function readable(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\u200b/g, ' ')
    .replace(/\p{Cf}|\p{Variation_Selector}/gu, '')
    .replace(/[’ʼ]/g, "'");
}

function wordOf(run: string, position: number): Word {
  const written = shortened(run.toLowerCase());
  const folded = shortened(foldedOf(run));
  if (IS_CJK.test(run)) return { kind: 'cjk', position, written: run, folded: run, parts: [] };
  if (IS_UNSPACED.test(run)) return { kind: 'unspaced', position, written: run, folded: run, parts: [] };
  return { kind: IS_SYMBOL.test(run) ? 'symbol' : 'spaced', position, written, folded, parts: partsOf(run) };
}

function togetherOf(group: string, words: Word[]): Omit<WordGroup, 'words'> {
  const whole = foldedOf(group);
  if (whole.length > LONGEST_WORD || words.some(({ kind }) => kind !== 'spaced')) return {};
  const isJoined = /^[^./:@&\\>]+$/.test(group) || /^(?:\p{L}\.)+\p{L}$/u.test(group);
  return { whole, ...(isJoined ? { joined: words.map(({ folded }) => folded).join('') } : {}) };
}

function foldedOf(text: string): string {
  // Upper case first: it turns ß into SS, and makes both sigmas one.
  const plain = text.toUpperCase().toLowerCase().normalize('NFKD').replace(OPTIONAL_MARKS, '').normalize('NFC');
  return plain.replace(/[æœøłđðþħı]/g, (letter) => VARIANTS[letter] ?? letter);
}

function partsOf(run: string): string[] {
  if (/[+#]$/.test(run)) return [foldedOf(run.replace(/[+#]+$/, ''))];
  const parts = run.split(/(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u);
  return parts.length > 1 && run.length <= LONGEST_WORD ? parts.map(foldedOf) : [];
}

/** Returns as much of a word as is kept: Postgres refuses longer ones. */
export function shortened(word: string): string {
  return word.length <= LONGEST_WORD ? word : [...word].slice(0, LONGEST_WORD).join('');
}

/** Returns all forms that need {@link Stems}. */
export function stemmableOf(groups: readonly WordGroup[]): string[] {
  const forms = groups.flatMap(({ words, joined = '' }) => [
    joined,
    ...words.flatMap((word) => [word.folded, ...word.parts]),
  ]);
  return [...new Set(forms)].filter((form) => /^[a-z]+$/.test(form));
}

/** Returns the form that a word is indexed under: its English stem, if it has one. */
export function indexedForm(folded: string, stems: Stems): string {
  return stems.get(folded) ?? folded;
}

/** Returns all strings of `length` characters in a run, in order. */
export function gramsOf(run: string, length: number): string[] {
  const characters = [...run];
  return Array.from({ length: Math.max(0, characters.length - length + 1) }, (_, index) =>
    characters.slice(index, index + length).join(''),
  );
}

const dictionary = new Intl.Segmenter('en', { granularity: 'word' });

/** Cuts a run without spaces into words, by ICU's dictionaries. */
export function dictionaryWordsOf(run: string): string[] {
  return [...dictionary.segment(run)].map(({ segment }) => segment);
}

/**
 * Returns what a chunk is found by, as a tsvector of Postgres: each word by its stem and as written. For scripts without spaces, it
 * has characters and pairs of them (for Thai and similar scripts, words of the dictionary and runs of three characters), so that any
 * part of a sentence is found. The weights A and B stand for the title, C and D for the text; A and C stand for a word as written.
 */
export function searchVectorOf(title: readonly WordGroup[], text: readonly WordGroup[], stems: Stems): string {
  const places = new Map<string, string[]>();
  const offset = lengthOf(title);
  indexInto(places, title, stems, 0, 'A', 'B');
  indexInto(places, text, stems, offset, 'C', 'D');
  return [...places].map(([lexeme, at]) => `${quoted(lexeme)}:${at.join(',')}`).join(' ');
}

function lengthOf(groups: readonly WordGroup[]): number {
  const last = groups.at(-1)?.words.at(-1);
  return last ? last.position + [...last.folded].length : 0;
}

function indexInto(
  places: Map<string, string[]>,
  groups: readonly WordGroup[],
  stems: Stems,
  offset: number,
  exact: 'A' | 'C',
  loose: 'B' | 'D',
): void {
  const add = (lexeme: string, position: number, weight: string) => {
    const at = places.get(lexeme);
    const place = `${position + offset}${weight}`;
    if (!at) places.set(lexeme, [place]);
    else if (at.length < MOST_PLACES) at.push(place);
  };
  for (const { words, whole, joined } of groups) {
    const [first] = words;
    if (whole !== undefined && first) add(whole, first.position, exact);
    if (joined !== undefined && first) add(indexedForm(joined, stems), first.position, loose);
    for (const { kind, position, written, folded, parts } of words) {
      if (kind === 'cjk') {
        for (const length of [1, 2]) {
          for (const [index, gram] of gramsOf(folded, length).entries()) add(gram, position + index, exact);
        }
      } else if (kind === 'unspaced') {
        for (const word of dictionaryWordsOf(folded)) add(shortened(word), position, exact);
        for (const gram of gramsOf(folded, 3)) add(gram, position, loose);
      } else {
        const form = indexedForm(folded, stems);
        add(form, position, form === written ? exact : loose);
        if (form !== written) add(written, position, exact);
        for (const part of parts) add(indexedForm(part, stems), position, loose);
      }
    }
  }
}

/** How many places of a word are kept; it matters little which. Postgres keeps 256. */
const MOST_PLACES = 64;

/** Quotes a lexeme for a tsvector or tsquery of Postgres. */
export function quoted(lexeme: string): string {
  return `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
