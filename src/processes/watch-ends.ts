import type { Logger } from 'pino';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import type { EndMeter } from '../domain/end-meter.ts';
import { logEnds } from './log-ends.ts';
import { traceEnds } from './trace-ends.ts';

/** Returns the same meter, which also logs each build and task that ends, and records it as a span if anything is traced. */
export function watchEnds<Meter extends EndMeter>(
  meter: Meter,
  { tracing, log }: { tracing?: Tracing | undefined; log: Logger },
): Meter {
  return logEnds(tracing ? traceEnds(meter, tracing) : meter, log);
}
