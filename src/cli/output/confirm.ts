import type { Command } from 'commander';
import { misuse } from '../failure.ts';
import { ask, canAsk } from './ask.ts';

/** Gives a command the option that replaces a person's confirmation. */
export const confirmable = (command: Command) => command.option('-y, --yes', 'do not ask');

/** Asks a person to confirm. @throws {Failure} if the answer is no, or nobody can be asked. */
export async function confirm(question: string, { yes }: { yes?: boolean | undefined }): Promise<void> {
  if (yes) return;
  if (!canAsk()) throw misuse(question, 'confirm it with --yes');
  const answer = await ask(`${question} Go on? [y/N] `);
  if (!/^y(es)?$/i.test(answer)) throw misuse('Nothing was done');
}
