import { renameSync, writeFileSync } from 'node:fs';
import { textOf } from './environment-file.ts';
import { misuse } from './failure.ts';

/** Returns the lines of the file, if it exists. @throws {Failure} if it cannot be read */
export function existingLines(file: string): string[] {
  return (textOf(file) ?? '').split('\n').filter((line) => line.trim() !== '');
}

/**
 * Sets variables in a file, removes those that are empty, and keeps its other lines. The file changes as a whole or not at all, and
 * only its user can read it. @throws {Failure} if a value cannot be written
 */
export function writeEnvironmentFile(file: string, variables: Record<string, string>): void {
  const others = existingLines(file).filter((line) => !Object.hasOwn(variables, nameIn(line)));
  const set = Object.entries(variables)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${quoted(name, value)}`);
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${[...others, ...set].join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
}

const nameIn = (line: string) => /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line)?.[1] ?? '';

/** Quotes a value so that Node and Docker Compose both read it. In double quotes, Compose would read `$` and a backslash. */
function quoted(name: string, value: string): string {
  if (/^[\w./:@+-]*$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  if (/["$\\]/.test(value)) throw misuse(`${name} cannot be written`, `it has a ' beside one of " $ \\`);
  return `"${value}"`;
}
