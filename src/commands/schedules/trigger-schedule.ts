import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { firedAnswer } from '../../contracts/schedules/schedule.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { SCHEDULES } from '../../store/schedules/schedule-stream.ts';
import { Refusal } from '../refusal.ts';
import { existingSchedule } from './change-schedule.ts';
import { firingKey, type MakeDependencies, makeScheduled } from './make-scheduled.ts';

/**
 * Fires a schedule now because a person asks for it, even if it is paused or its last builds or task are open.
 * @param key the same key fires it once.
 * @throws {Refusal} 404; if nothing can be made, says why.
 */
export async function triggerSchedule(
  deps: MakeDependencies,
  name: string,
  by: string,
  key: string = randomUUID(),
): Promise<z.infer<typeof firedAnswer>> {
  const schedule = await existingSchedule(deps, name);
  const time = new Date().toISOString();
  const { made, refused } = await makeScheduled(deps, schedule, firingKey(name, `by-hand:${key}`), new Set());
  if (made.length === 0) {
    const detail = refused[0] ? `${refused[0].config}: ${refused[0].detail}` : 'no build configuration matches';
    throw new Refusal('state_conflict', { detail });
  }
  const data = {
    time,
    made,
    ...(refused.length > 0 ? { refused } : {}),
    late_ms: 0,
    by,
    accounted_until: schedule.accounted_until,
  };
  await appendEvent(deps.db, SCHEDULES, name, {
    type: 'schedule_fired',
    data,
    occurred_at: time,
    dedupe_key: `by-hand:${key}`,
  });
  return { time, made, refused };
}
