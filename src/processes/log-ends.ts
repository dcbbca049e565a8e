import type { Logger } from 'pino';
import type { EndMeter } from '../domain/end-meter.ts';

/** Returns the same meter, which also logs how each build and task ended, without arguments and results. */
export function logEnds<Meter extends EndMeter>(meter: Meter, log: Logger): Meter {
  return {
    ...meter,
    buildEnded(build) {
      const { id, status, conclusion, run_url } = build;
      log.info({ build_id: id, status, conclusion, seconds: secondsOf(build), run_url }, 'build ended');
      meter.buildEnded(build);
    },
    taskEnded(task) {
      const { id, name, status, attempts } = task;
      log.info({ task_id: id, name, status, attempts, seconds: secondsOf(task) }, 'task ended');
      meter.taskEnded(task);
    },
  };
}

/** Returns the time from acceptance to end. */
function secondsOf({ created_at, completed_at }: { created_at: string; completed_at: string | null }): number | null {
  return completed_at === null ? null : (Date.parse(completed_at) - Date.parse(created_at)) / 1_000;
}
