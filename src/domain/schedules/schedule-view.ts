import type { ScheduleView } from '../../contracts/schedules/schedule.ts';
import type { Schedule } from './schedule.ts';

/** Returns a schedule as the API shows it. */
export function scheduleViewOf(schedule: Schedule): ScheduleView {
  const { id: name, definition, workflow_id: _workflow, accounted_until: _accounted, ...shown } = schedule;
  return { ...definition, ...shown, name };
}
