import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { EXIT, Failure } from '../failure.ts';
import { printable } from './screen.ts';

/** Whether somebody can be asked. */
export const canAsk = () => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/** A line that a person types. @throws {Failure} where the person ends instead, with Ctrl-C or Ctrl-D. */
export async function ask(question: string, { hidden = false } = {}): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  const ended = new Promise<never>((_, reject) => {
    const stop = () => reject(new Failure(EXIT.usage, { code: 'cancelled', title: 'Nothing was done' }));
    reader.once('SIGINT', stop).once('close', stop);
  });
  // Asked once the terminal no longer echoes: somebody may type at once.
  if (hidden) process.stderr.write(printable(question));
  try {
    return (await Promise.race([reader.question(hidden ? '' : printable(question)), ended])).trim();
  } finally {
    ended.catch(() => {});
    reader.close();
    if (hidden) process.stderr.write('\n');
  }
}

/** A secret: typed without being shown, or the first line of standard input. */
export async function askSecret(question: string): Promise<string> {
  if (canAsk()) return ask(question, { hidden: true });
  return (await text(process.stdin)).split('\n', 1)[0]!.trim();
}
