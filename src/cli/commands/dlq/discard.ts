import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { confirm, confirmable } from '../../output/confirm.ts';
import { print, printJson } from '../../output/screen.ts';

export function define(command: Command): void {
  confirmable(command.argument('<dead-letters...>', 'ids, such as task:49c16189'));
  runsWith<{ yes?: boolean }>(command, async ({ api, json, options }, ...given) => {
    const ids = given.flat();
    await confirm(`A discarded task or message cannot be redriven. This discards ${ids.join(', ')}.`, options);
    for (const id of ids) await api.answer(`/dlq/${encodeURIComponent(id)}`, { method: 'DELETE' });
    if (json) printJson({ discarded: ids });
    else print(`${ids.length} discarded; what happened stays in the record`);
  });
}
