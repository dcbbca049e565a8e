import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';

const ROOT = join(import.meta.dirname, '../..');
let program: Command;
beforeAll(async () => {
  program = await createProgram('', { completing: true });
});

/** Commands as the pages write them: in code, beginning with `hapax`. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:console|sh)\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'));
  const inline = [...text.matchAll(/`(hapax [^`]+)`/g)].map(([, code = '']) => code);
  return [
    ...blocks.flatMap((line) => [...line.matchAll(/(?:^\$ |^|\(|npx )(hapax [^|)#]*)/g)].map(([, code = '']) => code)),
    ...inline,
  ];
}

/** What is wrong with a command, if anything: a word or an option that the program does not have. */
function faultOf(written: string): string | undefined {
  const words = written.trim().split(/\s+/).slice(1);
  const served = program.commands.find((one) => one.name() === 'serve')!.commands;
  let command = program;
  let word = words.shift();
  while (word && /^[a-z-]+$/.test(word) && !word.startsWith('-')) {
    const names = command === program ? [...program.commands, ...served] : command.commands;
    const found = names.find((one) => one.name() === word);
    if (!found) break;
    command = found;
    word = words.shift();
  }
  if (command === program && word !== undefined && !/^(-|COMMAND|completion)/.test(word)) return `no command ${word}`;
  if (command === program) return undefined;
  const options = [word ?? '', ...words].flatMap((one) => /^(--?[a-z][a-z-]*)/.exec(one)?.[1] ?? []);
  const known = new Set(
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ short, long }) => [short, long]),
  );
  const unknown = options.find((option) => !known.has(option));
  return unknown && `${command.name()} has no ${unknown}`;
}

it('every command in the docs is one that the program has, with options that it has', () => {
  const pages = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })];
  const written = pages.flatMap((page) =>
    commandsIn(readFileSync(join(ROOT, page), 'utf8')).map((command) => ({ page, command })),
  );
  expect(written.length).toBeGreaterThan(60);
  const faults = written.flatMap(({ page, command }) => {
    const fault = faultOf(command);
    return fault ? [`${page}: ${command}: ${fault}`] : [];
  });
  expect(faults).toEqual([]);
  expect(faultOf('hapax nonsense')).toBe('no command nonsense');
  expect(faultOf('hapax worker --nonsense')).toBe('worker has no --nonsense');
  expect(faultOf('hapax dlq redrive --nonsense')).toBe('redrive has no --nonsense');
});

it('the page of the command line names every command', async () => {
  const page = readFileSync(join(ROOT, 'docs/command-line.md'), 'utf8');
  const names = program.commands.filter((one) => !['complete'].includes(one.name())).map((one) => one.name());
  expect(names.filter((name) => !page.includes(name))).toEqual([]);
  expect(names.length).toBeGreaterThan(20);
});
