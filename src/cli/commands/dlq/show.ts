import type { Command } from 'commander';
import type { EventView } from '../../../contracts/builds/event.ts';
import type { DeadLetterView } from '../../../contracts/builds/operator.ts';
import { runsWith } from '../../client/command.ts';
import { deadLetterLines } from '../../dead-letters.ts';
import { print, printJson } from '../../output/screen.ts';
import { logLine } from '../../output/timeline.ts';

export function define(command: Command): void {
  command.argument('<dead-letter>', 'id, such as build:12');
  runsWith<object>(command, async ({ api, json }, id = '') => {
    const letter = await api.json<DeadLetterView & { events: EventView[] }>(`/dlq/${encodeURIComponent(id)}`);
    if (json) return printJson(letter);
    print(...deadLetterLines([letter]), '', ...letter.events.map((event) => logLine(letter.kind, event)));
  });
}
