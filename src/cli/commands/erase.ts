import type { Command } from 'commander';
import { positive, runsWith } from '../client/command.ts';
import { misuse } from '../failure.ts';
import { operateMatching, type Words } from '../operate-matching.ts';
import { confirmable } from '../output/confirm.ts';

interface Options {
  text?: string;
  caller?: string;
  limit: number;
  dryRun?: boolean;
  yes?: boolean;
}

const WORDS: Words = {
  asks: 'erases',
  done: 'erased',
  named: (count) => `the data of ${count} ${count === 1 ? 'thing' : 'things'}`,
  warning: ' Nobody can undo it.',
};

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
    const which = ids.length > 0 ? { ids, limit: ids.length } : { text, caller, limit };
    return operateMatching(context, WORDS, '/erasures', which, (sample) => sample.map(String));
  });
}
