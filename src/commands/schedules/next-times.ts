import { Refusal } from '../refusal.ts';
import { existingSchedule } from './change-schedule.ts';
import type { MakeDependencies } from './make-scheduled.ts';
import { describeSchedule } from './temporal-schedule.ts';

/** Lists the next times of a schedule, at most ten, as Temporal has them. @throws {Refusal} 404, 503 */
export async function listNextTimes(deps: MakeDependencies, name: string): Promise<string[]> {
  const { workflow_id, definition } = await existingSchedule(deps, name);
  const described = await describeSchedule(deps.client, workflow_id);
  if (described && described !== 'unreadable') {
    return described.info.nextActionTimes.slice(0, 10).map((time) => time.toISOString());
  }
  // Temporal forgets a schedule some time after its last firing.
  if (definition.end_at !== null && Date.parse(definition.end_at) < Date.now()) return [];
  const detail = 'Temporal does not have the schedule; send it again, or wait for the next comparison with the record';
  throw new Refusal('temporal_unavailable', { detail, retryAfterSeconds: 60 });
}
