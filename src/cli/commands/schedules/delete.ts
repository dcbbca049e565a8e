import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { confirm, confirmable } from '../../output/confirm.ts';
import { print, printJson } from '../../output/screen.ts';
import { schedulePath } from '../../schedule-words.ts';

export function define(command: Command): void {
  confirmable(command.argument('<schedule>', 'name of the schedule'));
  runsWith<{ yes?: boolean }>(command, async ({ api, json, options: { yes } }, name = '') => {
    await confirm(`This deletes the schedule ${name}.`, { yes });
    await api.json(schedulePath(name), { method: 'DELETE', repeatable: true });
    if (json) printJson({ name, status: 'deleted' });
    else print(`schedule ${name}: deleted`);
  });
}
