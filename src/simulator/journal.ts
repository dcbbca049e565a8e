import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RunFact } from './run.ts';

/** An entry: something that happened to a run, or a requested dispatch (carried out or not). */
export type JournalEntry = RunFact | { fact: 'dispatch_requested'; at: number };

/** An append-only file with one JSON object per line. */
export interface Journal {
  /** Everything that was in the file when it was opened. */
  readonly entries: readonly JournalEntry[];
  /** Returns once the operating system has the line, so that a kill -9 after that loses nothing. */
  append(entry: JournalEntry): void;
  close(): void;
}

/**
 * Opens (or creates) a journal. It overwrites a last line that a kill cut short. Any other unreadable line means that the file is not a
 * journal, and is an error.
 *
 * @param path left out: nothing is kept
 */
export function openJournal(path: string | undefined): Journal {
  if (path === undefined) return { entries: [], append() {}, close() {} };
  mkdirSync(dirname(path), { recursive: true });
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const wholeBytes = bytes.lastIndexOf('\n') + 1;
  const lines = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1);
  const entries = lines.map((line, index) => parse(line, path, index + 1));

  const file = openSync(path, 'a');
  if (wholeBytes < bytes.length) ftruncateSync(file, wholeBytes);
  return {
    entries,
    append(entry) {
      writeSync(file, `${JSON.stringify(entry)}\n`);
    },
    close() {
      closeSync(file);
    },
  };
}

function parse(line: string, path: string, number: number): JournalEntry {
  try {
    return JSON.parse(line) as JournalEntry;
  } catch (cause) {
    throw new Error(`${path}:${number} is not a line of a simulator's journal`, { cause });
  }
}
