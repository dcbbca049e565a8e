import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { print, printJson } from '../../output/screen.ts';

export function define(command: Command): void {
  command.argument('<task>', 'id of the task');
  runsWith<object>(command, async ({ api, json }, id = '') => {
    const answer = await api.json<{ task_id: string; message: string }>(`/tasks/${encodeURIComponent(id)}/retry`, {
      method: 'POST',
      body: {},
    });
    if (json) printJson(answer);
    else print(`task ${answer.task_id}: ${answer.message.toLowerCase()}`);
  });
}
