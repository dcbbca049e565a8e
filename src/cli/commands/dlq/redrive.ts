import type { Command } from 'commander';
import type { DeadLetterView } from '../../../contracts/builds/operator.ts';
import type { Api } from '../../client/api.ts';
import { positive, runsWith } from '../../client/command.ts';
import { readPages } from '../../client/pages.ts';
import { deadLetterLines, type FilterOptions, operateEach, queryOf, withFilter } from '../../dead-letters.ts';
import { EXIT, misuse } from '../../failure.ts';
import { confirm, confirmable } from '../../output/confirm.ts';
import { noteRefused, type Operated, printOperated } from '../../output/operated.ts';
import { note, print, printJson } from '../../output/screen.ts';

interface Options extends FilterOptions {
  all?: boolean;
  limit: number;
  dryRun?: boolean;
  yes?: boolean;
}

export function define(command: Command): void {
  command.argument('[dead-letters...]', 'ids, such as build:12; or name them by a filter');
  confirmable(withFilter(command))
    .option('--all', 'every dead letter')
    .option('-n, --limit <number>', 'how many at most, the newest first', positive, 100)
    .option('--dry-run', 'only show which');
  runsWith<Options>(command, async ({ api, json, options }, ...ids) => {
    const { letters, unknown, more } = await meant(api, ids.flat(), options);
    const alsoMatch = more ? '; more match' : '';
    if (options.dryRun) {
      if (json) printJson({ dead_letters: letters, refused: unknown, more });
      else {
        noteRefused(unknown);
        print(...deadLetterLines(letters), `${letters.length} would be redriven${alsoMatch}`);
      }
      return unknown.length === 0 ? EXIT.success : EXIT.failed;
    }
    if (letters.length + unknown.length === 0) {
      if (json) printJson({ redriven: [], refused: [], more });
      else note('there are no such dead letters');
      return EXIT.success;
    }
    if (letters.length > 0) {
      if (!json && !options.yes) print(...deadLetterLines(letters));
      await confirm(questionOf(letters, alsoMatch), options);
    }
    // Exactly those that were shown, not others that came meanwhile.
    const { done, stoppedBy, ...rest } = await operateEach(
      letters.map(({ id }) => id),
      (id) => api.json(`/dlq/${encodeURIComponent(id)}/redrive`, { method: 'POST' }),
    );
    const refused = [...unknown, ...rest.refused];
    const exit = printOperated({ done, refused }, json ? { redriven: done, refused, more } : undefined, 'redriven');
    if (stoppedBy) throw stoppedBy;
    if (more && !json) note('more match: run it again');
    return exit;
  });
}

/** The dead letters that a command is about, and ids that it names in vain. */
interface Meant {
  letters: DeadLetterView[];
  unknown: Operated['refused'];
  /** Whether more match than `--limit` takes. */
  more: boolean;
}

/** Returns the dead letters that are named, or that match. @throws {Failure} if nothing says which. */
async function meant(api: Api, ids: string[], options: Options): Promise<Meant> {
  const query = queryOf(options);
  const filtered = Object.values(query).some((value) => value !== undefined);
  if (ids.length > 0) {
    if (filtered || options.all) throw misuse('Dead letters are named twice', 'give either ids or a filter');
    return named(api, ids);
  }
  if (!filtered && !options.all) throw misuse('Nothing says which dead letters', 'name ids, a filter, or --all');
  const listing = { query, limit: options.limit };
  const { items, next_cursor } = await readPages<DeadLetterView>(api, '/dlq', 'dead_letters', listing);
  return { letters: items, unknown: [], more: next_cursor !== null };
}

async function named(api: Api, ids: string[]): Promise<Meant> {
  const letters: DeadLetterView[] = [];
  const { refused, stoppedBy } = await operateEach(ids, async (id) =>
    letters.push(await api.json<DeadLetterView>(`/dlq/${encodeURIComponent(id)}`)),
  );
  if (stoppedBy) throw stoppedBy;
  return { letters, unknown: refused, more: false };
}

function questionOf(letters: DeadLetterView[], alsoMatch: string): string {
  const unsure = letters.filter((letter) => letter.kind === 'build' && letter.build.workflow_run_id === null).length;
  const warning =
    unsure > 0 ? ` ${unsure} of them are builds without a known run: if a run exists, the workflow runs twice.` : '';
  return `This redrives ${letters.length} dead letter${letters.length === 1 ? '' : 's'}${alsoMatch}.${warning}`;
}
