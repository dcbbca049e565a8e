import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { operateEach } from '../../dead-letters.ts';
import { confirm, confirmable } from '../../output/confirm.ts';
import { printOperated } from '../../output/operated.ts';

export function define(command: Command): void {
  confirmable(command.argument('<dead-letters...>', 'ids, such as task:49c16189'));
  runsWith<{ yes?: boolean }>(command, async ({ api, json, options }, ...given) => {
    const ids = given.flat();
    const after =
      'Nobody can send a discarded message again; a build or task can still be retried (hapax retry, hapax tasks retry).';
    await confirm(`This discards ${ids.join(', ')}. ${after}`, options);
    const { stoppedBy, ...operated } = await operateEach(ids, (id) =>
      api.answer(`/dlq/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    );
    const answer = json ? { discarded: operated.done, refused: operated.refused } : undefined;
    const exit = printOperated(operated, answer, 'discarded', '; what happened stays in the record');
    if (stoppedBy) throw stoppedBy;
    return exit;
  });
}
