import type { Command } from 'commander';
import type { DeadLetterView } from '../../../contracts/builds/operator.ts';
import { positive, runsWith } from '../../client/command.ts';
import { readPages } from '../../client/pages.ts';
import { deadLetterLines, type FilterOptions, queryOf, withFilter } from '../../dead-letters.ts';
import { note, print, printJson } from '../../output/screen.ts';

export function define(command: Command): void {
  withFilter(command)
    .option('-n, --limit <number>', 'how many', positive, 20)
    .option('--cursor <cursor>', 'go on where a list ended');
  runsWith<FilterOptions & { limit: number; cursor?: string }>(command, async ({ api, json, options }) => {
    const { limit, cursor } = options;
    const listing = { query: queryOf(options), limit, cursor };
    const { items, next_cursor } = await readPages<DeadLetterView>(api, '/dlq', 'dead_letters', listing);
    if (json) return printJson({ dead_letters: items, next_cursor });
    if (items.length === 0) return note('there are no such dead letters');
    print(...deadLetterLines(items));
    if (next_cursor) note('there are more: use --limit, or --cursor with the next_cursor of --json');
  });
}
