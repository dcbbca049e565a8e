import { type LogLevel, type LogMetadata, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

const PINO_LEVEL = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Sends the messages of the Temporal SDK to our log, and leaves signals to us. Call it once per process, before any connection. */
export function installTemporalRuntime(log: Logger): void {
  const write = (level: LogLevel, message: string, meta: LogMetadata = {}) => {
    // The SDK logs every start and stop of a worker at INFO, and warns about workers without workflows, as most of ours
    // are. Both are details to an operator.
    const isDetail = level === 'INFO' || message.startsWith('No workflows registered');
    const pinoLevel = isDetail ? 'debug' : PINO_LEVEL[level];
    const { error, ...rest } = meta;
    log[pinoLevel]({ ...rest, ...(error ? { err: error } : {}) }, message);
  };
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
  });
}
