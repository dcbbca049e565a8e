import { stripVTControlCharacters, styleText } from 'node:util';

/** The output of a command: `process.stdout`, or a substitute. */
export type Output = NodeJS.WriteStream;

/** Tones of text. Words also say what a tone means, for terminals without colour. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'faint' | 'strong';
const STYLES = { good: 'green', bad: 'red', warn: 'yellow', busy: 'cyan', faint: 'dim', strong: 'bold' } as const;

/** Returns text in a tone if the output shows colours. It respects NO_COLOR, FORCE_COLOR and TERM=dumb. */
export function paint(text: string, tone: Tone | undefined, output: Output = process.stdout): string {
  if (tone === undefined || !showsColours(output)) return text;
  return styleText(STYLES[tone], text, { validateStream: false });
}

/** Decides like `styleText` itself, except for an empty NO_COLOR, which counts as unset (no-color.org). */
function showsColours(output: Output): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return Boolean(output.isTTY) && TERM !== 'dumb';
}

/** Says whether lines can be overwritten. */
export const redraws = (output: Output = process.stdout) => Boolean(output.isTTY) && process.env.TERM !== 'dumb';

/** The escape sequences that {@link paint} writes. No others are printed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about control characters.
const OWN_STYLE = /\u001b\[(?:0|1|2|22|3[1236]|39)m/g;
/** Control characters, and marks that change the direction of text. Names of branches and jobs could contain them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about control characters.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Replaces everything in a line that could control a terminal, except the styles of this program. */
export function printable(line: string): string {
  const parts = line.split(OWN_STYLE);
  const styles = line.match(OWN_STYLE) ?? [];
  return parts.map((part, index) => part.replaceAll(UNPRINTABLE, '\ufffd') + (styles[index] ?? '')).join('');
}

/** Returns the lines of a text that {@link print} can print: a tab would show as a mark. */
export const linesOf = (text: string): string[] => text.replaceAll('\t', '  ').split(/\r?\n/);

/** Returns a text of several lines as one. */
export const inOneLine = (text: string): string => text.replaceAll(/[\t\r\n]\s*/g, ' ');

/** Prints lines on standard output. */
export function print(...lines: string[]): void {
  process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(''));
}

/** Prints a line for people on standard error, apart from the output. */
export function note(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Returns the columns of the terminal; undefined if the output is not a terminal. */
export function columnsOf(output: Output = process.stdout): number | undefined {
  return output.isTTY ? output.columns || 80 : undefined;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

function widthOfCharacter(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Returns how many columns a text takes, without its styles. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].reduce((sum, character) => sum + widthOfCharacter(character), 0);
}

/** Cuts a text to a number of columns. `…` marks the cut. Styles stay, and end with the text. */
export function cut(text: string, columns: number | undefined): string {
  if (columns === undefined || widthOf(text) <= columns) return text;
  let [kept, width] = ['', 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: styles take no columns.
  for (const [part] of text.matchAll(/\u001b\[[\d;]*m|./gsu)) {
    const more = part.startsWith('\u001b') ? 0 : widthOfCharacter(part);
    if (width + more > columns - 1) break;
    kept += part;
    width += more;
  }
  return `${kept}…${kept.includes('\u001b') ? '\u001b[0m' : ''}`;
}

/** Fills a text with spaces up to a width. */
export const pad = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - widthOf(text)));
