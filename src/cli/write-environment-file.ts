import { renameSync, writeFileSync } from 'node:fs';
import { textOf } from './environment-file.ts';
import { misuse } from './failure.ts';

/** A line, or several where a value in quotes goes on. */
const ENTRY = /^[^\S\n]*(?:export[^\S\n]+)?[A-Za-z_]\w*[^\S\n]*=[^\S\n]*(["'`])[\s\S]*?\1.*$|^.*\S.*$/gm;

/** Returns the settings and comments of the file, if it exists. @throws {Failure} if it cannot be read */
export function existingEntries(file: string): string[] {
  return textOf(file)?.match(ENTRY) ?? [];
}

/**
 * Sets variables in a file, removes those that are empty, and keeps all else. The file changes as a whole or not at all, and
 * only its user can read it. @throws {Failure} if a value cannot be written
 */
export function writeEnvironmentFile(file: string, variables: Record<string, string>): void {
  const others = existingEntries(file).filter((entry) => !Object.hasOwn(variables, nameIn(entry)));
  const set = Object.entries(variables)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${quoted(name, value)}`);
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${[...others, ...set].join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
}

const nameIn = (entry: string) => /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(entry)?.[1] ?? '';

/** Quotes a value so that Node and Docker Compose both read it. In double quotes, Compose would read `$` and a backslash. */
function quoted(name: string, value: string): string {
  if (/^[\w./:@+-]*$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  if (/["$\\]/.test(value)) throw misuse(`${name} cannot be written`, `it has a ' beside one of " $ \\`);
  return `"${value}"`;
}
