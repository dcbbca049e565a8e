import { type Command, Option } from 'commander';
import { collect, positive, runsWith } from '../client/command.ts';
import { inOneLine, note, paint, print, printJson } from '../output/screen.ts';

interface Options {
  limit: number;
  type?: string;
  tag?: string[];
}

interface Found {
  results: Array<{ content_id: string; title: string; url: string; snippet: string }>;
  note?: string;
}

export function define(command: Command): void {
  command
    .argument('<query...>', 'what to search for')
    .option('-n, --limit <number>', 'how many', positive, 10)
    .addOption(new Option('--type <type>', 'only these').choices(['youtube', 'web']))
    .option('--tag <tag>', 'only content with this tag; repeat it for more', collect);
  runsWith<Options>(command, async ({ api, json, options }, ...words) => {
    const { limit, type, tag: tags } = options;
    const body = { query: words.flat().join(' '), limit, type, tags };
    const found = await api.json<Found>('/api/v1/search', { method: 'POST', body, repeatable: true });
    if (json) return printJson(found);
    if (found.note) note(found.note);
    if (found.results.length === 0) note('nothing was found');
    for (const { content_id, title, url, snippet } of found.results) {
      print(`${paint(title, 'strong')}  ${content_id}`, `  ${inOneLine(snippet)}`, `  ${paint(url, 'faint')}`);
    }
  });
}
