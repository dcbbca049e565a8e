import type { Client } from '@temporalio/client';
import { LIMITS } from '../../contracts/budgets.ts';
import { FIRE_WORKFLOW, type FireInput, fireWorkflowId } from '../../contracts/schedules/fire-workflow.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { Db } from '../../store/database.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { listKnownTimes } from '../../store/schedules/schedule-list-known-times.ts';
import { SCHEDULES } from '../../store/schedules/schedule-stream.ts';
import type { fire } from '../../workflows/index.ts';
import { startWorkflow } from '../lifecycle/start-workflow.ts';
import { type ApplyDependencies, isApplied } from './apply-recorded.ts';
import { firingKey, wasBegun } from './make-scheduled.ts';
import { listDueTimes } from './temporal-schedule.ts';

/** How long a firing may take to begin and to be recorded before it counts as missing. */
const GRACE_MS = 10_000;

/**
 * How long a process waits before it compares the times of one schedule again. Firings that are being caught up must not be
 * looked for meanwhile.
 */
const PAUSE_MS = 10_000;

/** How many firings are started at once. */
const AT_ONCE = 8;

/** The result of comparing the times of a schedule. */
export interface Settled {
  /** Every time until then is on record. */
  accounted_until: string;
  /** How many were recorded as missed: older than the schedule catches up. */
  missed: number;
  /** How many are fired now. */
  caughtUp: number;
}

/**
 * Compares the times of a schedule with the record. If Temporal did not fire one, for whatever reason, fires it now; if it
 * is older than the schedule catches up, records it as missed. Temporal's own catching up is not used: it leaves no trace
 * of the times that it dropped. Compares nothing while Temporal does not have the times of this version.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function settleTimes(deps: ApplyDependencies, schedule: Schedule): Promise<Settled> {
  const { client, db } = deps;
  const { id, workflow_id, definition, accounted_until: after } = schedule;
  const { catch_up_seconds, jitter_seconds } = definition;
  const now = Date.now() - jitter_seconds * 1_000;
  const until = new Date(now - GRACE_MS).toISOString();
  if (schedule.status !== 'active') return { accounted_until: after, missed: 0, caughtUp: 0 };
  // The event of a waiting time does not show whether its workflow is lost. If it runs, Temporal refuses another.
  const { waiting_time } = schedule;
  const resumed = waiting_time !== null && (await startFiring(client, schedule, waiting_time)) ? 1 : 0;
  if (until <= after || !(await isApplied(deps, schedule))) {
    return { accounted_until: after, missed: 0, caughtUp: resumed };
  }
  const due = await listDueTimes(client, workflow_id, after, until);
  const known = await listKnownTimes(db, id, due);
  const absent = due.filter((time) => !known.has(time));
  const oldest = new Date(now - catch_up_seconds * 1_000).toISOString();
  const late: string[] = [];
  const open: string[] = [];
  for (const time of absent) {
    // If the record lost the firing, its builds and tasks still exist. Firing it again records that.
    const isOpen = time >= oldest || (await wasBegun({ db }, schedule, firingKey(id, time)));
    (isOpen ? open : late).push(time);
  }
  for (let first = 0; first < open.length; first += AT_ONCE) {
    await Promise.all(open.slice(first, first + AT_ONCE).map((time) => startFiring(client, schedule, time)));
  }
  // The next comparison begins with the first time that is fired now.
  const isCut = due.length === LIMITS.schedules.dueTimes;
  const end = open[0] === undefined ? (isCut ? due.at(-1)! : until) : before(open[0]);
  const missed = late.filter((time) => time <= end);
  const recorded = await recordMissed(db, schedule, missed);
  return { accounted_until: recorded ?? end, missed: missed.length, caughtUp: open.length + resumed };
}

/**
 * Says whether a version of a schedule has a time too that Temporal fired for an earlier one, after the change.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function hasTimeToo(deps: ApplyDependencies, schedule: Schedule, time: string): Promise<boolean> {
  if (time <= schedule.changed_at || !(await isApplied(deps, schedule))) return false;
  return (await listDueTimes(deps.client, schedule.workflow_id, before(time), time)).includes(time);
}

/** When this process last compared the times of each schedule, by its database. */
const settledAt = new WeakMap<Db, Map<string, number>>();

/** Runs {@link settleTimes}, unless this process has just done so. @returns until when every time is on record. */
export async function settleTimesSometimes(deps: ApplyDependencies, schedule: Schedule): Promise<string> {
  const times = settledAt.get(deps.db) ?? new Map<string, number>();
  settledAt.set(deps.db, times);
  const now = performance.now();
  if (now - (times.get(schedule.id) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return schedule.accounted_until;
  times.set(schedule.id, now);
  return (await settleTimes(deps, schedule)).accounted_until;
}

/** @returns until when every time is on record, if another process recorded some of these at the same moment. */
async function recordMissed(db: Db, { id, definition }: Schedule, missed: string[]): Promise<string | undefined> {
  const { missedTimes } = LIMITS.schedules;
  for (let first = 0; first < missed.length; first += missedTimes) {
    const times = missed.slice(first, first + missedTimes);
    const detail = `found more than ${definition.catch_up_seconds} s later; nothing was made`;
    const { repeated, event } = await appendEvent(db, SCHEDULES, id, {
      type: 'schedule_missed',
      data: { times, detail, accounted_until: times.at(-1)! },
      occurred_at: new Date().toISOString(),
      dedupe_key: `missed:${times[0]}`,
    });
    if (repeated) return event.data.accounted_until as string;
  }
  return undefined;
}

/**
 * Fires a time in place of Temporal's schedule, under the same workflow id, so that only one of the two fires it.
 * @returns false if that workflow is running.
 */
function startFiring(client: Client, { id, version, definition }: Schedule, time: string): Promise<boolean> {
  const input: FireInput = { schedule: id, jitter_seconds: definition.jitter_seconds, version, time };
  return startWorkflow<typeof fire>({ client }, FIRE_WORKFLOW, input, 'ALLOW_DUPLICATE', {
    workflowId: fireWorkflowId(id, time),
    staticSummary: `schedule ${id}, caught up`,
  });
}

function before(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString();
}
