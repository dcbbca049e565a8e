import type { Command } from 'commander';
import type { Query } from './client/api.ts';
import { positive, runsWith } from './client/command.ts';
import { readPages } from './client/pages.ts';
import { note, print, printJson } from './output/screen.ts';

interface List<Item, Options> {
  path: string;
  /** The member of a page that contains the items. Its words are also their name. */
  name: string;
  query(options: Options): Query;
  lines(items: Item[], options: Options): string[];
}

/** Defines a command that lists what matches the filter of its options. */
export function listsPages<Item, Options>(command: Command, { path, name, query, lines }: List<Item, Options>): void {
  command
    .option('-n, --limit <number>', 'how many', positive, 20)
    .option('--cursor <cursor>', 'go on where a list ended');
  runsWith<Options & { limit: number; cursor?: string }>(command, async ({ api, json, options }) => {
    const { limit, cursor } = options;
    const listing = { query: query(options), limit, cursor };
    const { items, next_cursor } = await readPages<Item>(api, path, name, listing);
    if (json) return printJson({ [name]: items, next_cursor });
    if (items.length === 0) return note(`there are no such ${name.replaceAll('_', ' ')}`);
    print(...lines(items, options));
    if (next_cursor) note('there are more: use --limit, or --cursor with the next_cursor of --json');
  });
}
