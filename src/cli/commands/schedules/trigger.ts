import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { runsWith } from '../../client/command.ts';
import { EXIT } from '../../failure.ts';
import { note, print, printJson } from '../../output/screen.ts';
import { schedulePath } from '../../schedule-words.ts';

interface Fired {
  made: Array<{ made: string; config?: string }>;
  refused: Array<{ config: string; detail: string }>;
}

export function define(command: Command): void {
  command
    .argument('<schedule>', 'name of the schedule')
    .option('--idempotency-key <key>', 'a key of your own: the same key fires it once');
  runsWith<{ idempotencyKey?: string }>(command, async ({ api, json, options }, name = '') => {
    const fired = await api.json<Fired>(`${schedulePath(name)}/trigger`, {
      method: 'POST',
      headers: { 'idempotency-key': options.idempotencyKey ?? randomUUID() },
      repeatable: true,
    });
    if (json) printJson(fired);
    else print(...fired.made.map(({ made, config }) => (config === undefined ? made : `${made}  ${config}`)));
    for (const { config, detail } of fired.refused) note(`hapax: ${config}: ${detail}`);
    return fired.refused.length === 0 ? EXIT.success : EXIT.failed;
  });
}
