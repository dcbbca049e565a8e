import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from '../contracts/settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';

/**
 * Creates the log of a process on standard output: lines for people in a terminal, JSON for programs.
 * @param ids the present span, for each line; omitted if nothing is traced.
 */
export function createLog(level: Settings['LOG_LEVEL'], role: string, ids?: Tracing['ids']): Logger {
  const timestamp = pino.stdTimeFunctions.isoTime;
  const options = { level, base: { role }, timestamp, ...(ids ? { mixin: ids } : {}) };
  if (!process.stdout.isTTY) return pino(options, standardOutput());
  return pino(options, pretty({ sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss', ignore: 'role' }));
}

/** How many bytes of lines are kept while they cannot be written. */
const KEPT_BYTES = 1_000_000;

/**
 * Opens standard output, which may be a file on a full disk. Then it keeps lines, and writes them once there is room. It
 * drops lines beyond its limit, and the work goes on.
 */
function standardOutput() {
  // Synchronous: otherwise pino writes the remaining lines when the process ends, again and again while the disk is full.
  return pino.destination({ fd: 1, sync: true, maxLength: KEPT_BYTES }).on('error', () => {});
}
