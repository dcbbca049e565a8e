import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { directory, Program } from './program.ts';

const README = readFileSync(fileURLToPath(new URL('../../docs/start.md', import.meta.url)), 'utf8');

/** The commands of a section's console blocks, each with what the README says that it prints. */
function commandsOf(title: string): Array<{ command: string; prints: string }> {
  const [section = ''] = README.split(`\n## ${title}\n`)[1]?.split('\n## ') ?? [];
  const blocks = [...section.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text = '']) => text);
  return blocks.flatMap((block) =>
    block.split(/^\$ /m).flatMap((part) => {
      const [, command = '', prints = ''] = /^((?:.*\\\n)*.*)\n?([\s\S]*)$/.exec(part) ?? [];
      return part === '' ? [] : [{ command, prints: prints.trim() }];
    }),
  );
}

/** What may be printed where the README prints this: `...` stands for anything, and ids and moments differ. */
function patternOf(prints: string): RegExp {
  const pattern = prints
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\s*\\\.\\\.\\\.\s*/g, '[\\s\\S]*')
    // How often a run was looked at is a matter of moments, and with it the number of the last event.
    .replaceAll(
      /^(id: |data: \\{"id":)\d+(,"seq":)?\d*/gm,
      (_, start: string, seq = '') => `${start}\\d+${seq && `${seq}\\d+`}`,
    )
    .replaceAll(/"request_id":"[^"]*"/g, '"request_id":"[^"]*"')
    .replaceAll(
      '"status":"in_progress","message":"Build already exists"',
      '"status":"\\w+","message":"Build already exists"',
    );
  return new RegExp(`^${pattern}$`);
}

it('what the README has people paste works in this order, and prints what it says', async () => {
  const home = await directory();
  const settings = {
    HAPAX_HOME: join(home, 'hapax'),
    PORT: '0',
    TEMPORAL_PORT: '0',
    TEMPORAL_UI_PORT: '0',
  };
  const hapax = new Program(process.execPath, ['bin/hapax.js', 'up'], settings, join(home, 'up.log'));
  onTestFinished(() => hapax.kill());
  const url = await eventually(() => {
    const found = /ready; /.test(hapax.output) && /API +(http:\S+)/.exec(hapax.output)?.[1];
    if (!found) throw new Error(`it is not ready: ${hapax.output}`);
    return found;
  });
  const commands = [
    ...commandsOf('Trigger a build'),
    ...commandsOf('Watch it'),
    ...commandsOf('Ingest and search a video'),
    ...commandsOf('When a request is wrong'),
  ].filter(({ command }) => command !== 'npm start');
  expect(commands.length).toBeGreaterThan(8);
  let last = '';
  for (const { command, prints } of commands) {
    if (command !== '# the same again') last = command;
    const pasted = last.replaceAll('http://127.0.0.1:8000', url).replaceAll(/\bcurl /g, 'curl --silent --show-error ');
    const { stdout } = await promisify(execFile)('sh', ['-c', pasted]);
    expect(stdout.trim(), last).toMatch(patternOf(prints));
  }

  // What ended is told in the log, in a line each, without arguments and results; nothing warns.
  const ends = hapax.output.split('\n').filter((line) => /"msg":"(build|task) ended"/.test(line));
  expect(ends.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ build_id: 1, status: 'success', conclusion: 'success', run_url: expect.any(String) }),
    expect.objectContaining({ name: 'ingest_youtube', status: 'SUCCESS', attempts: 1 }),
    expect.objectContaining({ task_id: 'embed-1', name: 'process_content', status: 'SUCCESS' }),
  ]);
  expect(ends.join('\n')).not.toMatch(/moon|args|kwargs|result/);
  expect(hapax.output).not.toMatch(/Warning/);
});
