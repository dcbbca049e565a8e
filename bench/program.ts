import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Processes } from './processes.ts';

/** What a benchmark starts and leaves, and what takes care of it. */
export interface Scratch {
  /** Of this run alone; removed at its end, unless KEEP is set. */
  directory: string;
  processes: Processes;
  /** Has this done at the end, in order, once the processes have been stopped. */
  atEnd(end: () => Promise<unknown>): void;
}

/** Runs a benchmark and ends this process. Nothing that it started is left behind, by Ctrl-C neither. */
export async function runBenchmark(name: string, benchmark: (scratch: Scratch) => Promise<void>): Promise<never> {
  const directory = mkdtempSync(join(tmpdir(), `hapax-${name}-`));
  const processes = new Processes(directory);
  const ends: Array<() => Promise<unknown>> = [() => processes.stopAll()];
  let cleaned: Promise<void> | undefined;
  const clean = () => {
    cleaned ??= (async () => {
      for (const end of ends) await end().catch(console.error);
      if (!process.env.KEEP) rmSync(directory, { recursive: true, force: true });
      else console.log(directory);
    })();
    return cleaned;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, async () => {
      await clean();
      process.exit(130);
    });
  }
  try {
    await benchmark({ directory, processes, atEnd: (end) => ends.push(end) });
  } catch (error) {
    // What is asked of a helper that Ctrl-C has ended is no news.
    if (!cleaned) console.error(error);
    process.exitCode = 1;
  } finally {
    await clean();
  }
  process.exit();
}
