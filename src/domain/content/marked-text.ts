import { indexedForm, type Stems, stemmableOf, type WordGroup, wordGroupsOf } from './search-words.ts';

/** A piece of a text, and whether it has a word of the query. */
export interface Piece {
  text: string;
  isAsked: boolean;
}

/** Returns all forms whose stems {@link markWords} needs. */
export function stemmableForMarks(query: string, texts: readonly string[]): string[] {
  return stemmableOf([query, ...texts].flatMap(wordGroupsOf));
}

/** Cuts a text where it has words of a query, in any form: `build` marks `Builds`. Marks stop words only if the query has nothing else. */
export function markWords(text: string, query: string, stems: Stems): Piece[] {
  const asked = askedForms(wordGroupsOf(query), stems);
  const pieces: Piece[] = [];
  const add = (piece: string, isAsked: boolean) => {
    const last = pieces.at(-1);
    if (last?.isAsked === isAsked) last.text += piece;
    else if (piece !== '') pieces.push({ text: piece, isAsked });
  };
  let end = 0;
  for (const { 0: run, index } of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    add(text.slice(end, index), false);
    end = index + run.length;
    addRun(run, asked, stems, add);
  }
  add(text.slice(end), false);
  return pieces;
}

interface AskedForms {
  /** Forms of words with spaces around them. */
  forms: ReadonlySet<string>;
  /** Runs of scripts without spaces, found anywhere. */
  runs: readonly string[];
}

function askedForms(groups: readonly WordGroup[], stems: Stems): AskedForms {
  const words = groups.flatMap((group) => group.words);
  const isSpaced = ({ kind }: (typeof words)[number]) => kind === 'spaced' || kind === 'symbol';
  const spaced = words.filter(isSpaced);
  const meaningful = spaced.filter(({ folded }) => stems.get(folded) !== null);
  const kept = meaningful.length > 0 ? meaningful : spaced;
  return {
    forms: new Set(kept.map(({ folded }) => indexedForm(folded, stems))),
    runs: words.filter((word) => !isSpaced(word)).map(({ folded }) => folded),
  };
}

function addRun(run: string, { forms, runs }: AskedForms, stems: Stems, add: (text: string, isAsked: boolean) => void) {
  const words = wordGroupsOf(run).flatMap((group) => group.words);
  const isAsked = words.some(
    ({ folded, parts }) =>
      forms.has(indexedForm(folded, stems)) || parts.some((part) => forms.has(indexedForm(part, stems))),
  );
  const inside = isAsked ? undefined : runs.find((one) => run.includes(one));
  if (inside === undefined) return add(run, isAsked);
  const at = run.indexOf(inside);
  add(run.slice(0, at), false);
  add(inside, true);
  add(run.slice(at + inside.length), false);
}
