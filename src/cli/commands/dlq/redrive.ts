import type { Command } from 'commander';
import type { DeadLetterView } from '../../../contracts/builds/operator.ts';
import type { Api } from '../../client/api.ts';
import { positive, runsWith } from '../../client/command.ts';
import { readPages } from '../../client/pages.ts';
import { deadLetterLines, type FilterOptions, queryOf, withFilter } from '../../dead-letters.ts';
import { EXIT, Failure, misuse } from '../../failure.ts';
import { confirm, confirmable } from '../../output/confirm.ts';
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
    const letters = await meant(api, ids.flat(), options);
    if (options.dryRun) {
      if (json) printJson({ dead_letters: letters });
      else print(...deadLetterLines(letters), `${letters.length} would be redriven`);
      return EXIT.success;
    }
    if (letters.length === 0) {
      if (json) printJson({ redriven: [], refused: [] });
      else note('there are no such dead letters');
      return EXIT.success;
    }
    if (!json && !options.yes) print(...deadLetterLines(letters));
    await confirm(questionOf(letters), options);
    const answer = await redrive(api, letters);
    if (json) printJson(answer);
    else {
      for (const { id, detail } of answer.refused) note(`${id} was refused: ${detail}`);
      print(`${answer.redriven.length} redriven, ${answer.refused.length} refused`);
    }
    return answer.refused.length === 0 ? EXIT.success : EXIT.failed;
  });
}

/** The dead letters that are named, or match. @throws {Failure} where nothing says which. */
async function meant(api: Api, ids: string[], options: Options): Promise<DeadLetterView[]> {
  const query = queryOf(options);
  const filtered = Object.values(query).some((value) => value !== undefined);
  if (ids.length > 0) {
    if (filtered || options.all) throw misuse('Dead letters are named twice', 'give either ids or a filter');
    return Promise.all(ids.map((id) => api.json<DeadLetterView>(`/dlq/${encodeURIComponent(id)}`)));
  }
  if (!filtered && !options.all) throw misuse('Nothing says which dead letters', 'name ids, a filter, or --all');
  return (await readPages<DeadLetterView>(api, '/dlq', 'dead_letters', { query, limit: options.limit })).items;
}

function questionOf(letters: DeadLetterView[]): string {
  const unsure = letters.filter((letter) => letter.kind === 'build' && letter.build.workflow_run_id === null).length;
  const warning =
    unsure > 0 ? ` ${unsure} of them are builds without a known run: if a run exists, the workflow runs twice.` : '';
  return `This redrives ${letters.length} dead letter${letters.length === 1 ? '' : 's'}.${warning}`;
}

/** Redrives those that were shown, and no other that came meanwhile. */
async function redrive(api: Api, letters: DeadLetterView[]) {
  const redriven: string[] = [];
  const refused: Array<{ id: string; detail: string }> = [];
  for (const { id } of letters) {
    try {
      await api.json(`/dlq/${encodeURIComponent(id)}/redrive`, { method: 'POST' });
      redriven.push(id);
    } catch (error) {
      if (!(error instanceof Failure) || error.exit !== EXIT.usage) throw error;
      refused.push({ id, detail: error.message });
    }
  }
  return { redriven, refused };
}
