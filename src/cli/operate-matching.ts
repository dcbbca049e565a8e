import type { Context } from './client/command.ts';
import { EXIT, type Exit } from './failure.ts';
import { confirm } from './output/confirm.ts';
import { type ManyOperated, printOperated } from './output/operated.ts';
import { note, print, printJson } from './output/screen.ts';

/** What a dry run finds. */
export interface Found {
  count: number;
  more: boolean;
  sample: unknown[];
}

/** The words about an operation on many. */
export interface Words {
  /** `This <asks> 3 tasks.` */
  asks: string;
  /** `3 <done>, 0 refused`. */
  done: string;
  /** What it is about: `3 tasks`. */
  named(count: number): string;
  /** What to know before one says yes. */
  warning?: string;
}

const NONE: ManyOperated = { done: [], refused: [], more: false };

/**
 * Operates on all that match: finds out how many they are, asks, and prints what became of them.
 * @param path the route that does it; its body is `which`.
 * @param lines what a dry run prints for people before how many there are.
 */
export async function operateMatching(
  { api, json, options }: Context<{ dryRun?: boolean; yes?: boolean }>,
  { asks, done, named, warning = '' }: Words,
  path: string,
  which: object,
  lines = (_: unknown[]): string[] => [],
): Promise<Exit> {
  const ask = <Answer>(more: object) => api.json<Answer>(path, { method: 'POST', body: { ...which, ...more } });
  const found = await ask<Found>({ dry_run: true });
  const alsoMatch = found.more ? '; more match' : '';
  if (options.dryRun) {
    if (json) printJson(found);
    else print(...lines(found.sample), `${named(found.count)} would be ${done}${alsoMatch}`);
    return EXIT.success;
  }
  if (found.count > 0) await confirm(`This ${asks} ${named(found.count)}${alsoMatch}.${warning}`, options);
  const answer = found.count > 0 ? await ask<ManyOperated>({}) : NONE;
  const exit = printOperated(answer, json ? answer : undefined, done);
  if (answer.more && !json) note('more match: run it again');
  return exit;
}
