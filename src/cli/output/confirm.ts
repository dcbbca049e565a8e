import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { misuse } from '../failure.ts';
import { printable } from './screen.ts';

/** Gives a command the option that stands for a person's yes. */
export const confirmable = (command: Command) => command.option('-y, --yes', 'do not ask');

/** Has a person confirm. @throws {Failure} where the answer is no, or nobody can be asked. */
export async function confirm(question: string, { yes }: { yes?: boolean | undefined }): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw misuse(question, 'confirm it with --yes');
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${printable(question)} Go on? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw misuse('Nothing was done');
  } finally {
    reader.close();
  }
}
