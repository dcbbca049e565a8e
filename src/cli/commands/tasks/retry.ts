import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { print, printJson } from '../../output/screen.ts';

export function define(command: Command): void {
  command.argument('<task>', 'id of the task');
  runsWith<object>(command, async ({ api, json }, id = '') => {
    const answer = await api.json<{ id: string; message: string }>(`/dlq/${encodeURIComponent(`task:${id}`)}/redrive`, {
      method: 'POST',
    });
    if (json) printJson(answer);
    else print(`task ${id}: ${answer.message.toLowerCase()}`);
  });
}
