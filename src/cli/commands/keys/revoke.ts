import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { confirm, confirmable } from '../../output/confirm.ts';
import { print, printJson } from '../../output/screen.ts';

export function define(command: Command): void {
  confirmable(command.argument('<id>', 'id of the key, such as key_0d6f5b1c2a3948576a7b8c9d'));
  runsWith<{ yes?: boolean }>(command, async ({ api, json, options: { yes } }, id = '') => {
    await confirm(`This revokes ${id}. Whoever uses it gets in no more.`, { yes });
    await api.json(`/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
    if (json) printJson({ id, status: 'revoked' });
    else print(`${id}: revoked`);
  });
}
