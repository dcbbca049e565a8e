import { estimateTokens } from './token-estimate.ts';

/** Longest chunk: a sentence encoder blurs longer texts, and a search result shows about this much. */
export const CHUNK_CHARACTERS = 800;

/** Most tokens of a chunk, by estimate: with its title it fits the smallest usual model (256 tokens, all-minilm). */
export const CHUNK_TOKENS = 210;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

/** The limits of a piece of text; both apply. */
export interface PieceLimits {
  characters: number;
  /** By {@link estimateTokens}. */
  tokens: number;
}

/** Cuts a text into chunks for vectors and search, one after the other: see {@link piecesOf}. */
export function eachChunk(text: string): Iterable<string> {
  return eachPiece(text, { characters: CHUNK_CHARACTERS, tokens: CHUNK_TOKENS });
}

/**
 * Cuts a text into pieces within the limits: between sentences if these fit, else between words, else between two characters. The
 * pieces in order are the text.
 */
export function piecesOf(text: string, limits: PieceLimits): string[] {
  return [...eachPiece(text, limits)];
}

function* eachPiece(text: string, limits: PieceLimits): Iterable<string> {
  let piece = '';
  let tokens = 0;
  for (const part of partsOf(text, limits)) {
    const more = estimateTokens(part);
    if (piece !== '' && (piece.length + part.length > limits.characters || tokens + more > limits.tokens)) {
      yield piece;
      piece = '';
      tokens = 0;
    }
    piece += part;
    tokens += more;
  }
  if (piece !== '') yield piece;
}

/** Yields sentences, and pieces of those that are too long. */
function* partsOf(text: string, limits: PieceLimits): Iterable<string> {
  for (const { segment } of sentences.segment(text)) {
    let rest = segment;
    // Speech has no full stops.
    while (rest.length > limits.characters || estimateTokens(rest.slice(0, limits.characters)) > limits.tokens) {
      const cut = cutOf(rest, fittingLength(rest, limits));
      yield rest.slice(0, cut);
      rest = rest.slice(cut);
    }
    yield rest;
  }
}

/** Returns how many UTF-16 units from the beginning of a text fit the limits; at least one character. */
function fittingLength(text: string, { characters, tokens }: PieceLimits): number {
  let fits = 0;
  let beyond = Math.min(text.length, characters) + 1;
  while (beyond - fits > 1) {
    const middle = (fits + beyond) >> 1;
    if (estimateTokens(text.slice(0, middle)) <= tokens) fits = middle;
    else beyond = middle;
  }
  return Math.max(fits, (text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
}

/** Returns the place to cut a text so that at most `length` units come before: after a space, else after a word, else anywhere. */
function cutOf(text: string, length: number): number {
  const space = text.lastIndexOf(' ', length - 1);
  if (space > 0) return space + 1;
  const before = words.segment(text.slice(0, length + WORD_CONTEXT)).containing(length)?.index ?? length;
  // Cuts a word as long as the piece, but not between the two halves of a character.
  if (before > 0) return before;
  return length > 1 && /[\uDC00-\uDFFF]/.test(text.charAt(length)) ? length - 1 : length;
}

/** How many characters after a cut show where the word around it ends. */
const WORD_CONTEXT = 40;
