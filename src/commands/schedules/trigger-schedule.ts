import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { firedAnswer, Made } from '../../contracts/schedules/schedule.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { listOpenOf } from '../../store/schedules/made-list-open.ts';
import { findSchedule } from '../../store/schedules/schedule-find.ts';
import { SCHEDULES } from '../../store/schedules/schedule-stream.ts';
import { Refusal } from '../refusal.ts';
import { existingSchedule } from './change-schedule.ts';
import { firingKey, type MakeDependencies, makeScheduled } from './make-scheduled.ts';

const ROUTE = 'POST /schedules/{name}/trigger';

/**
 * Fires a schedule now because a person asks for it, even if it is paused or its last builds or task are open.
 * @param key the same key of the same caller fires it once.
 * @throws {Refusal} 404; if nothing can be made, says why.
 */
export async function triggerSchedule(
  deps: MakeDependencies,
  name: string,
  by: string,
  key?: string,
): Promise<z.infer<typeof firedAnswer>> {
  const firing = `by-hand:${key === undefined ? randomUUID() : requestKey('', { caller: by, route: ROUTE, key })}`;
  const schedule = await existingSchedule(deps, name);
  const time = new Date().toISOString();
  const { made, refused } = await makeScheduled(deps, schedule, firingKey(name, firing), new Set());
  if (made.length === 0) {
    const detail = refused[0] ? `${refused[0].config}: ${refused[0].detail}` : 'no build configuration matches';
    throw new Refusal('state_conflict', { detail });
  }
  const running = await listRunning(deps, name, made);
  const data = {
    time,
    made,
    ...(running.length > 0 ? { running } : {}),
    ...(refused.length > 0 ? { refused } : {}),
    late_ms: 0,
    by,
    accounted_until: schedule.accounted_until,
  };
  await appendEvent(deps.db, SCHEDULES, name, {
    type: 'schedule_fired',
    data,
    occurred_at: time,
    dedupe_key: firing,
  });
  return { time, made, refused };
}

/** Lists what earlier firings made and has not ended, so that `overlap` still counts it. */
async function listRunning({ db }: MakeDependencies, name: string, now: readonly Made[]): Promise<Made[]> {
  const schedule = await findSchedule(db, name);
  if (!schedule || schedule.definition.overlap === 'allow') return [];
  const { last_made } = schedule;
  const made = new Set(now.map((one) => one.made));
  const open = await listOpenOf(
    db,
    last_made.map((one) => one.made),
  );
  return last_made.filter((one) => open.has(one.made) && !made.has(one.made));
}
