import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { print, printJson } from '../../output/screen.ts';

export function define(command: Command): void {
  command
    .argument('<name>', 'name of a task that nobody serves')
    .addHelpText(
      'after',
      '\nA worker that registers the task again brings it back. What was sent and has ended stays on record.',
    );
  runsWith<object>(command, async ({ api, json }, name = '') => {
    await api.json(`/task-types/${encodeURIComponent(name)}`, { method: 'DELETE' });
    if (json) printJson({ name, status: 'retired' });
    else print(`${name}: retired`);
  });
}
