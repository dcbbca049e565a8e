import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { Db } from '../../store/database.ts';
import { findSchedule } from '../../store/schedules/schedule-find.ts';
import {
  applySchedule,
  describeSchedule,
  inputOfSchedule,
  type TemporalScheduleDependencies,
  TimesRefused,
} from './temporal-schedule.ts';

export type ApplyDependencies = TemporalScheduleDependencies & { db: Db };

/**
 * Makes Temporal match the record, even if the record changes meanwhile.
 * @throws {Refusal} if Temporal cannot be reached. @throws {TimesRefused}
 */
export async function applyRecorded(deps: ApplyDependencies, name: string): Promise<Schedule> {
  for (let schedule = await findSchedule(deps.db, name); ; ) {
    await applySchedule(deps, schedule!);
    const now = await findSchedule(deps.db, name);
    if (now!.version === schedule!.version && now!.status === schedule!.status) return now!;
    schedule = now;
  }
}

/**
 * Says whether Temporal has the times of this version of a schedule. If Temporal has an earlier version, applies the record first:
 * Temporal was away when the schedule was changed.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function isApplied(deps: ApplyDependencies, { id, workflow_id, version }: Schedule): Promise<boolean> {
  const described = await describeSchedule(deps.client, workflow_id);
  // A comparison of record and Temporal makes it again.
  if (!described) return false;
  const there = described === 'unreadable' ? 0 : (inputOfSchedule(described)?.version ?? 0);
  if (there >= version) return there === version;
  try {
    const { status, ...now } = await applyRecorded(deps, id);
    return status !== 'deleted' && now.version === version;
  } catch (error) {
    if (error instanceof TimesRefused) return false;
    throw error;
  }
}
