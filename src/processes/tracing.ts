import { hostname } from 'node:os';
import type { Logger } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import type { Settings } from '../contracts/settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { traceExporter } from '../contracts/tracing/tracing-settings.ts';
import { createLog } from './log.ts';

/** The log of a process, and its traces. */
export interface Watched {
  log: Logger;
  /** Undefined if the settings ask for none. */
  tracing: (Tracing & { close(): Promise<void> }) | undefined;
}

/** Opens the log of a process and, if the settings ask for them, its traces. Loads OpenTelemetry only then. */
export async function openWatched(settings: Settings, role: string): Promise<Watched> {
  const exporter = traceExporter(settings);
  if (exporter === 'none') return { log: createLog(settings.LOG_LEVEL, role), tracing: undefined };
  const { openTelemetry } = await import('../integrations/tracing/opentelemetry.ts');
  const tracing = openTelemetry({
    exporter,
    sampler: settings.OTEL_TRACES_SAMPLER,
    share: settings.OTEL_TRACES_SAMPLER_ARG,
    serviceName: `hapax-${role}`,
    serviceVersion: packageJson.version,
    instanceId: `${process.pid}@${hostname()}`,
    onState(state) {
      if (state === 'arriving') log.info('traces arrive again');
      else log.warn({ reason: state.lost }, 'traces cannot be sent; spans are lost until they can');
    },
  });
  const log = createLog(settings.LOG_LEVEL, role, tracing.ids);
  return { log, tracing };
}
