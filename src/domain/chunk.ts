/** Longest chunk: a sentence encoder blurs longer texts, and a search result shows about this much. */
export const CHUNK_CHARACTERS = 800;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/**
 * Cuts a text into pieces of at most {@link CHUNK_CHARACTERS}: of whole sentences where they fit, else at a space, else
 * between two characters. The pieces in order are the text.
 */
export function chunksOf(text: string): string[] {
  const chunks: string[] = [];
  let chunk = '';
  for (const piece of piecesOf(text)) {
    if (chunk.length + piece.length > CHUNK_CHARACTERS) {
      chunks.push(chunk);
      chunk = '';
    }
    chunk += piece;
  }
  if (chunk !== '') chunks.push(chunk);
  return chunks;
}

function* piecesOf(text: string): Iterable<string> {
  for (const { segment } of sentences.segment(text)) {
    let rest = segment;
    // Spoken words come without full stops.
    while (rest.length > CHUNK_CHARACTERS) {
      const cut = cutOf(rest);
      yield rest.slice(0, cut);
      rest = rest.slice(cut);
    }
    yield rest;
  }
}

function cutOf(text: string): number {
  const space = text.lastIndexOf(' ', CHUNK_CHARACTERS - 1);
  if (space > 0) return space + 1;
  // Not between the two halves of one character.
  return /[\uD800-\uDBFF]/.test(text.charAt(CHUNK_CHARACTERS - 1)) ? CHUNK_CHARACTERS - 1 : CHUNK_CHARACTERS;
}
