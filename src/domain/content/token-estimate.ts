/**
 * Estimates how many tokens a model makes of a text, rather too many than too few: tokenizers differ, and none is at hand. They spend
 * a token on about four letters of English, one on a Chinese character, and up to one per byte on text that their training hardly
 * had.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let letters = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    letters = isLetter ? letters + 1 : 0;
    // Prose has no words this long: this is an address, a key or an encoded picture.
    if (letters > LONGEST_WORD) tokens += 0.6;
    else if (isLetter || code === 0x20) tokens += 0.25;
    else if (code < 0x80) tokens += 0.5;
    else tokens += tokensOf(text.charAt(at));
  }
  return Math.ceil(tokens);
}

/** Length of the longest word that is still prose, in letters. */
const LONGEST_WORD = 24;

const ALPHABETS = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u;
const CONSONANT_ALPHABETS = /[\p{Script=Arabic}\p{Script=Hebrew}]/u;

/** Estimates the tokens of a UTF-16 unit beyond ASCII. */
function tokensOf(unit: string): number {
  if (ALPHABETS.test(unit)) return 0.5;
  if (CONSONANT_ALPHABETS.test(unit)) return 0.8;
  // Chinese, Japanese, Korean; scripts that models read byte by byte; and the halves of an emoji.
  return 1.2;
}
