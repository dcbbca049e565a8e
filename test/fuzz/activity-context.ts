import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { installedClock, type Process, runIn } from './clock.ts';
import type { Schedule } from './temporal-jobs.ts';

/** What an activity finds out about itself, and the last that it said of its progress. */
export function contextOf(
  { workflowId, runId }: { workflowId: string; runId: string },
  scheduled: Pick<Schedule, 'activityType'>,
  attempt: number,
  heartbeatDetails: unknown,
  isLocal: boolean,
) {
  const heartbeat = { details: heartbeatDetails };
  const info = {
    activityType: scheduled.activityType,
    attempt,
    isLocal,
    heartbeatDetails,
    workflowExecution: { workflowId, runId },
    currentAttemptScheduledTimestampMs: installedClock().now,
  };
  const context = {
    info,
    heartbeat: (details: unknown) => {
      heartbeat.details = details;
    },
    cancelled: new Promise(() => {}),
    cancellationSignal: new AbortController().signal,
  } as unknown as Context;
  return { context, heartbeat };
}

/** Runs an activity's code where it finds its context. */
export function runActivity<T>(worker: Process, context: Context, run: () => Promise<T>): Promise<T> {
  return runIn(worker, () => asyncLocalStorage.run(context, run));
}
