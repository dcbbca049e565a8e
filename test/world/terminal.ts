import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { ENTRY, type Person } from './command-line.ts';

/** `script` of util-linux gives a program a terminal. */
export const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs `hapax` in a terminal of so many columns, until it ends. Gives what it wrote, and what then stands on the screen. */
export async function inTerminal(
  { env }: Person,
  args: string[],
  { columns = 80, rows = 24, more = {} }: { columns?: number; rows?: number; more?: Record<string, string> } = {},
) {
  const command = [process.execPath, ENTRY, ...args].map(quoted).join(' ');
  const child = spawn('script', ['-qefc', `stty cols ${columns} rows ${rows}; ${command}`, '/dev/null'], {
    env: { ...env, SHELL: '/bin/sh', ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
  const [code] = (await once(child, 'close')) as [number];
  return { code, written, ...screenOf(written, columns) };
}

/** What a terminal shows after this was written to it: as much of one as `hapax` uses. */
export function screenOf(written: string, columns: number): { lines: string[]; wrapped: boolean } {
  const lines: string[][] = [[]];
  let [row, column, wrapped] = [0, 0, false];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about control characters.
  for (const [part, parameters = '', command] of written.matchAll(/\u001b\[([\d;?]*)([A-Za-z])|./gsu)) {
    const number = Number(parameters || 1);
    if (command === 'A') row = Math.max(0, row - number);
    else if (command === 'K') lines[row]!.length = Math.min(lines[row]!.length, column);
    else if (command === 'J') {
      lines[row]!.length = Math.min(lines[row]!.length, column);
      lines.length = row + 1;
    } else if (command === 'm') continue;
    else if (command !== undefined) throw new Error(`the terminal of the test knows no ${JSON.stringify(part)}`);
    else if (part === '\r') column = 0;
    else if (part === '\n') row += 1;
    else if (part < ' ' || part === '\u001b')
      throw new Error(`a control character was written: ${JSON.stringify(part)}`);
    else {
      if (column >= columns) {
        wrapped = true;
        row += 1;
        column = 0;
      }
      lines[row] ??= [];
      lines[row]![column++] = part;
    }
    lines[row] ??= [];
  }
  return {
    lines: lines.map((line) =>
      Array.from(line, (one) => one ?? ' ')
        .join('')
        .trimEnd(),
    ),
    wrapped,
  };
}

/** Runs `hapax` in a terminal and answers what it asks: each answer is typed when its question stands at the end. */
export async function typedInto({ env }: Person, args: string[], answers: Array<[question: RegExp, answer: string]>) {
  const command = [process.execPath, ENTRY, ...args].map(quoted).join(' ');
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { ...env, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let [written, unanswered] = ['', ''];
  const left = [...answers];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    written += chunk;
    unanswered += chunk;
    if (!left[0]?.[0].test(stripVTControlCharacters(unanswered))) return;
    unanswered = '';
    child.stdin.write(`${left.shift()![1]}\r`);
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, written };
}
