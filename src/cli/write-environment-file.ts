import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Lines of the file that is there. */
export function existingLines(file: string): string[] {
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '')
    : [];
}

/** Sets variables in a file and keeps its other lines. It is there in whole or as before, and its user alone can read it. */
export function writeEnvironmentFile(file: string, variables: Record<string, string>): void {
  const others = existingLines(file).filter((line) => !Object.hasOwn(variables, nameIn(line)));
  const set = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${[...others, ...set].join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
}

const nameIn = (line: string) => /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line)?.[1] ?? '';

/** As Node and Docker Compose both read it. */
function quoted(value: string): string {
  return /^[\w./:@+-]*$/.test(value) ? value : `'${value}'`;
}
