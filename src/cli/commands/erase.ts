import type { Command } from 'commander';
import { type Context, positive, runsWith } from '../client/command.ts';
import { EXIT, type Exit, misuse } from '../failure.ts';
import { confirm, confirmable } from '../output/confirm.ts';
import { type ManyOperated, NONE_OPERATED, printOperated } from '../output/operated.ts';
import { note, print, printJson } from '../output/screen.ts';

interface Options {
  text?: string;
  caller?: string;
  limit: number;
  dryRun?: boolean;
  yes?: boolean;
}

interface Found {
  count: number;
  more: boolean;
  sample: string[];
}

export function define(command: Command): void {
  command.argument('[things...]', 'build:12, task:ID, content:ID or message:ID; or find them by --text or --caller');
  confirmable(command)
    .option('--text <text>', 'all that has this text in arguments, results, errors, inputs, URLs or content')
    .option('--caller <name>', 'all builds and tasks that this caller asked for')
    .option('-n, --limit <number>', 'how many at most, the newest first', positive, 100)
    .option('--dry-run', 'only say what');
  runsWith<Options>(command, async (context, ...given) => {
    const ids = given.flat();
    const { text, caller, limit } = context.options;
    const named = [ids.length > 0, text !== undefined, caller !== undefined].filter(Boolean).length;
    if (named !== 1) throw misuse('Say whose data, in one way', 'name things, or give --text or --caller');
    return eraseThese(context, ids.length > 0 ? { ids, limit: ids.length } : { text, caller, limit });
  });
}

async function eraseThese({ api, json, options }: Context<Options>, which: object): Promise<Exit> {
  const ask = <Body>(more: object) => api.json<Body>('/erasures', { method: 'POST', body: { ...which, ...more } });
  const found = await ask<Found>({ dry_run: true });
  const things = `${found.count} ${found.count === 1 ? 'thing' : 'things'}`;
  if (options.dryRun) {
    if (json) printJson(found);
    else {
      for (const id of found.sample) print(id);
      print(`the data of ${things} would be erased${found.more ? '; more match' : ''}`);
    }
    return EXIT.success;
  }
  const question = `This erases the data of ${things}${found.more ? '; more match' : ''}. Nobody can undo it.`;
  if (found.count > 0) await confirm(question, options);
  const answer = found.count > 0 ? await ask<ManyOperated>({}) : NONE_OPERATED;
  const exit = printOperated(answer, json ? answer : undefined, 'erased');
  if (answer.more && !json) note('more match: run it again');
  return exit;
}
