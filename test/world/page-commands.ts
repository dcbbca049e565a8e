import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A command of a page, with what the page says that it prints; empty: the page does not say. */
export interface PageCommand {
  page: string;
  command: string;
  prints: string;
}

/** The pages that people read, by their path: the README first, then those of docs. */
export function listPages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)];
}

/** The commands of the console blocks of a page, in its order. `# the same ...` stands for the command before it. */
export function commandsOf(page: string): PageCommand[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^( *)```console\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  let last = '';
  return blocks.flatMap((block) =>
    block.split(/^\$ /m).flatMap((part) => {
      if (part === '') return [];
      const [, command = '', prints = ''] = /^((?:.*[\\|]\n)*.*)\n?([\s\S]*)$/.exec(part) ?? [];
      if (!command.startsWith('# the same')) last = command;
      return [{ page, command: last, prints: prints.trim() }];
    }),
  );
}

/** What a page calls something, and what it really is: the number of a build, the head of the log. */
export type Known = Map<string, string>;

/** A number of a build: the one that is known, or any, which is then known. */
function number(text: string, known: Known, found: Set<string>): string {
  const name = /\d+/.exec(text)?.[0] ?? '';
  const real = known.get(name);
  const group = real ?? (found.has(name) ? `\\k<b${name}>` : `(?<b${name}>\\d+)`);
  found.add(name);
  return literal(text).replace(name, group);
}

/** A page may break a line that is too long for it. */
const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\n', '\\s*');

/** What differs from run to run, and what may stand in its place. */
const VARIABLE: Array<[string, string | typeof number]> = [
  ['head [0-9a-f]+\\.\\.\\.', 'head (?<head>[0-9a-f]+)'],
  ['\\s*\\.\\.\\.\\s*', '[\\s\\S]*'],
  ['\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z', '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z'],
  ['"request_id":"[^"]*"', '"request_id":"[^"]*"'],
  ['"task_id":"[0-9a-f-]{36}"', '"task_id":"[0-9a-f-]{36}"'],
  ['"next_after":\\d+,"at_end":\\w+', '"next_after":\\d+,"at_end":\\w+'],
  ['127\\.0\\.0\\.1:\\d+', '127\\.0\\.0\\.1:\\d+'],
  // How often a run was looked at is a matter of moments, and with it the number of the last event.
  ['^id: \\d+', 'id: \\d+'],
  ['^data: \\{"id":\\d+,"seq":\\d+', 'data: \\{"id":\\d+,"seq":\\d+'],
  ['"id":\\d+(?=,"status")', number],
  ['/backups/', '\\S*/backups/'],
  ['"waits_for":\\[\\d+\\]', number],
  ['\\bbuild[ :]\\d+\\b', number],
  ['\\brun \\d+', 'run \\d+'],
  ['\\d+ (?:events|streams|rows|tables|documents|builds|tasks|schedules|subscriptions|keys)\\b', '\\d+ \\w+'],
  ['in [\\d.]+ s \\(\\d+ events/s\\)', 'in [\\d.]+ s \\(\\d+ events/s\\)'],
  ['in \\d+s', 'in \\d+s'],
  // By then it may have ended.
  ['"status":"\\w+","message":"Build already exists"', '"status":"\\w+","message":"Build already exists"'],
];

/** What may be printed where a page prints this. Groups `b12` and `head` of a match are what the page calls 12, and the head. */
export function patternOf(prints: string, known: Known): RegExp {
  const found = new Set<string>();
  let pattern = '';
  let end = 0;
  for (const match of prints.matchAll(new RegExp(VARIABLE.map(([source]) => `(${source})`).join('|'), 'gm'))) {
    const [, stands] = VARIABLE[match.slice(1).findIndex((part) => part !== undefined)]!;
    pattern += literal(prints.slice(end, match.index));
    pattern += typeof stands === 'string' ? stands : stands(match[0], known, found);
    end = match.index + match[0].length;
  }
  return new RegExp(`^${pattern}${literal(prints.slice(end))}$`);
}

/** Remembers what a match of `patternOf` says. */
export function learn(known: Known, { groups = {} }: RegExpExecArray): void {
  for (const [name, value] of Object.entries(groups)) known.set(name.replace(/^b/, ''), value);
}

/** A command of a page as it is to run here. */
export function asRunHere(command: string, known: Known, url: string, hapax: string): string {
  return command
    .replaceAll(
      /(builds\/|build:|hapax \w+ |"run_id": )(\d+)\b/g,
      (_, before: string, name: string) => before + (known.get(name) ?? name),
    )
    .replaceAll(/--head [0-9a-f]+\.\.\./g, `--head ${known.get('head')}`)
    .replaceAll('/backups/', './backups/')
    .replaceAll('http://127.0.0.1:8000', url)
    .replaceAll(/\bnpx hapax\b/g, hapax)
    .replaceAll(/\bcurl /g, 'curl --silent --show-error ');
}
