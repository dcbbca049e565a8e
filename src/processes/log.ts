import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from '../contracts/settings.ts';

/** The log of a process on standard output: lines for people in a terminal, JSON for programs. */
export function createLog(level: Settings['LOG_LEVEL'], role: string): Logger {
  const options = { level, base: { role }, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stdout.isTTY) return pino(options);
  return pino(options, pretty({ sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss', ignore: 'role' }));
}
