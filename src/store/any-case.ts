/**
 * Returns a regular expression for Postgres that finds a text in any case. Unlike lower() and ILIKE, it finds the same on every server:
 * if the locale of a database is C, those know ASCII alone.
 */
export function inAnyCase(text: string): string {
  return Array.from(text, (character) => {
    const cases = casesOf(character);
    if (cases.length > 1) return `[${cases.join('')}]`;
    return '\\^$.*+?()[]{}|'.includes(character) ? `\\${character}` : character;
  }).join('');
}

/** The end of the planes of Unicode that have letters with cases. */
const END = 0x2_0000;
let letters: Map<string, string[]> | undefined;

/** Returns a character in all its cases: Σ, σ and ς, or ß and ẞ. */
function casesOf(character: string): string[] {
  letters ??= Map.groupBy(lettersWithCases(), folded);
  return letters.get(folded(character)) ?? [character];
}

function* lettersWithCases(): Generator<string> {
  for (let code = 0; code < END; code++) {
    const character = String.fromCodePoint(code);
    if (character.toLowerCase() !== character.toUpperCase()) yield character;
  }
}

/** In upper case between, since some letters have two lower cases, and none of these changes in lower case. */
function folded(character: string): string {
  return character.toLowerCase().toUpperCase().toLowerCase();
}
