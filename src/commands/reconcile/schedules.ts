import type { InstallationMemo } from '../../contracts/builds/build-workflow.ts';
import type { Happening } from '../../contracts/builds/event.ts';
import { scheduleNameOf, temporalScheduleId } from '../../contracts/schedules/fire-workflow.ts';
import type { ScheduleEvent } from '../../contracts/schedules/schedule-event.ts';
import { canonicalJson } from '../../domain/record/hash.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findSchedule } from '../../store/schedules/schedule-find.ts';
import { listSchedules } from '../../store/schedules/schedule-list.ts';
import { SCHEDULES, scheduleStream } from '../../store/schedules/schedule-stream.ts';
import { settleTimes } from '../schedules/settle-times.ts';
import {
  applySchedule,
  describeSchedule,
  hasPresentKey,
  inputOfSchedule,
  listTemporalSchedules,
  pausedByHand,
} from '../schedules/temporal-schedule.ts';
import type { Difference, Outcome, ReconcileDependencies } from './reconcile.ts';

export interface ScheduleComparison {
  /** Whether only to look. */
  dryRun: boolean;
  isOurs(memo: InstallationMemo): Promise<boolean>;
  /** Repairs a difference, unless this is a dry run. */
  mend(subject: string, found: Difference['found'], mend: () => Promise<Outcome>): Promise<void>;
}

/** Compares the schedules of the record with those of Temporal, and the times of each with those that were fired. */
export async function compareSchedules(deps: ReconcileDependencies, comparison: ScheduleComparison): Promise<void> {
  const there = await recordLost(deps, comparison);
  for (const schedule of await listSchedules(deps.db, { deleted: true })) {
    if (schedule.status === 'deleted' && !there.has(schedule.id)) continue;
    await compareSchedule(deps, comparison, schedule);
    if (comparison.dryRun) continue;
    const now = await findSchedule(deps.db, schedule.id);
    if (now?.status !== 'active') continue;
    const subject = scheduleStream(schedule.id);
    await comparison.mend(subject, 'times_missed', async () => {
      const { missed, caughtUp } = await settleTimes(deps, now);
      if (caughtUp > 0) return 'resumed';
      return missed > 0 ? 'recorded' : 'agrees';
    });
  }
}

async function compareSchedule(deps: ReconcileDependencies, { mend }: ScheduleComparison, schedule: Schedule) {
  const subject = scheduleStream(schedule.id);
  const described = await describeSchedule(deps.client, schedule.workflow_id);
  const apply = async (): Promise<Outcome> => {
    await applySchedule(deps, schedule);
    return 'applied';
  };
  if (!described) {
    if (schedule.status === 'deleted' || hasEndedLong(schedule)) return undefined;
    return mend(subject, 'schedule_lost', apply);
  }
  if (described === 'unreadable') return mend(subject, 'schedule_differs', apply);
  const input = inputOfSchedule(described);
  if (input && input.version > schedule.version) {
    const data = { workflow_id: schedule.workflow_id, version: input.version, definition: input.definition, by: BY };
    return mend(subject, 'record_set_back', () =>
      record(deps, schedule.id, { type: 'schedule_changed', data }, `version:${input.version}`),
    );
  }
  if (
    schedule.status === 'deleted' ||
    !input ||
    input.version < schedule.version ||
    canonicalJson(input.definition) !== canonicalJson(schedule.definition)
  ) {
    return mend(subject, 'schedule_differs', apply);
  }
  const isPaused = schedule.status === 'paused';
  if (described.state.paused === isPaused) {
    if (await hasPresentKey(deps.client, described.raw)) return undefined;
    return mend(subject, 'schedule_differs', apply);
  }
  const byHand = pausedByHand(described);
  if (!byHand) return mend(subject, 'schedule_differs', apply);
  const type = byHand.paused ? 'schedule_paused' : 'schedule_resumed';
  const event = { type, data: { by: 'temporal', note: byHand.note || null } } as const;
  const key = `temporal:${described.info.lastUpdatedAt?.toISOString() ?? ''}:${schedule.accounted_until}:${type}`;
  return mend(subject, 'schedule_differs', () => record(deps, schedule.id, event, key));
}

/**
 * Restores schedules that the record lost with their first event.
 * @returns the names of all that Temporal lists.
 */
async function recordLost(deps: ReconcileDependencies, { isOurs, mend }: ScheduleComparison): Promise<Set<string>> {
  const there = new Set<string>();
  for await (const { id } of listTemporalSchedules(deps.client)) {
    const name = scheduleNameOf(id);
    if (name === undefined) continue;
    there.add(name);
    if (await findSchedule(deps.db, name)) continue;
    const described = await describeSchedule(deps.client, id);
    if (described === 'unreadable') {
      await mend(scheduleStream(name), 'record_set_back', async () => 'unknown');
      continue;
    }
    const input = described && inputOfSchedule(described);
    if (!input || !(await isOurs(described.memo ?? {}))) continue;
    const { version, definition } = input;
    const data = { name, workflow_id: temporalScheduleId(name), version, definition, by: BY };
    await mend(scheduleStream(name), 'record_set_back', () =>
      record(deps, name, { type: 'schedule_created', data }, `version:${version}`),
    );
  }
  return there;
}

const BY = 'reconciliation';

async function record(
  deps: ReconcileDependencies,
  name: string,
  event: Happening<ScheduleEvent>,
  dedupe_key: string,
): Promise<Outcome> {
  const told = { ...event, occurred_at: new Date().toISOString(), dedupe_key } as ScheduleEvent;
  await appendEvent(deps.db, SCHEDULES, name, told);
  return 'recorded';
}

/** Says whether Temporal may have forgotten a schedule, as it does some days after the last time. */
function hasEndedLong({ definition: { end_at, catch_up_seconds } }: Schedule): boolean {
  return end_at !== null && Date.parse(end_at) + catch_up_seconds * 1_000 < Date.now();
}
