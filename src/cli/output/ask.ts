import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { EXIT, type Exit, Failure } from '../failure.ts';
import { printable } from './screen.ts';

/** Says whether somebody can be asked. */
export const canAsk = () => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/** Asks a person to type a line. @throws {Failure} if the person presses Ctrl-C or Ctrl-D instead. */
export async function ask(question: string, { hidden = false } = {}): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  const ended = new Promise<never>((_, reject) => {
    const stop = (exit: Exit) => () => reject(new Failure(exit, { code: 'cancelled', title: 'Nothing was done' }));
    reader.once('SIGINT', stop(EXIT.interrupted)).once('close', stop(EXIT.usage));
  });
  // This comes after the terminal stopped echoing, because somebody may type at once.
  if (hidden) process.stderr.write(printable(question));
  try {
    return (await Promise.race([reader.question(hidden ? '' : printable(question)), ended])).trim();
  } finally {
    ended.catch(() => {});
    reader.close();
    if (hidden) process.stderr.write('\n');
  }
}

/** Reads a secret: typed without being shown, or the first line of standard input. */
export async function askSecret(question: string): Promise<string> {
  if (canAsk()) return ask(question, { hidden: true });
  return (await text(process.stdin)).split('\n', 1)[0]!.trim();
}
