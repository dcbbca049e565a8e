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
import { firingKey, wasBegun } from './make-scheduled.ts';
import { listDueTimes } from './temporal-schedule.ts';

/** A firing may take so long to begin and to be recorded before anybody wonders where it is. */
const GRACE_MS = 10_000;

/** A process compares the times of one schedule no more often: what is being caught up shall not be looked for again meanwhile. */
const PAUSE_MS = 10_000;

/** Firings that are started at once. */
const AT_ONCE = 8;

/** What was found missing of a schedule. */
export interface Settled {
  /** Every time until then is on record. */
  accounted_until: string;
  /** Recorded as missed: older than the schedule catches up. */
  missed: number;
  /** Fired now. */
  caughtUp: number;
}

/**
 * Compares the times of a schedule with the record. One that Temporal did not fire, for whatever reason, is fired now or, if it
 * is older than the schedule catches up, recorded as missed. Nothing is left to Temporal's own catching up, which leaves no
 * trace of what it dropped.
 * @throws {Refusal} where Temporal cannot be reached.
 */
export async function settleTimes({ client, db }: { client: Client; db: Db }, schedule: Schedule): Promise<Settled> {
  const { id, workflow_id, definition, accounted_until: after } = schedule;
  const { catch_up_seconds, jitter_seconds } = definition;
  const now = Date.now() - jitter_seconds * 1_000;
  const until = new Date(now - GRACE_MS).toISOString();
  if (schedule.status !== 'active' || until <= after) return { accounted_until: after, missed: 0, caughtUp: 0 };
  const due = await listDueTimes(client, workflow_id, after, until);
  const known = await listKnownTimes(db, id, due);
  const absent = due.filter((time) => !known.has(time));
  const oldest = new Date(now - catch_up_seconds * 1_000).toISOString();
  const late: string[] = [];
  const open: string[] = [];
  for (const time of absent) {
    // Where the record lost that it was fired, what it made is there, and firing it again says so.
    const isOpen = time >= oldest || (await wasBegun({ db }, schedule, firingKey(id, time)));
    (isOpen ? open : late).push(time);
  }
  for (let first = 0; first < open.length; first += AT_ONCE) {
    await Promise.all(open.slice(first, first + AT_ONCE).map((time) => startFiring(client, schedule, time)));
  }
  // Behind what is fired now, the next look goes on.
  const isCut = due.length === LIMITS.schedules.dueTimes;
  const end = open[0] === undefined ? (isCut ? due.at(-1)! : until) : before(open[0]);
  const missed = late.filter((time) => time <= end);
  const recorded = await recordMissed(db, schedule, missed);
  return { accounted_until: recorded ?? end, missed: missed.length, caughtUp: open.length };
}

/** When this process compared the times of each schedule last, by its database. */
const settledAt = new WeakMap<Db, Map<string, number>>();

/** As {@link settleTimes}, unless this process has just done so. @returns until when every time is on record. */
export async function settleTimesSometimes(deps: { client: Client; db: Db }, schedule: Schedule): Promise<string> {
  const times = settledAt.get(deps.db) ?? new Map<string, number>();
  settledAt.set(deps.db, times);
  const now = performance.now();
  if (now - (times.get(schedule.id) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return schedule.accounted_until;
  times.set(schedule.id, now);
  return (await settleTimes(deps, schedule)).accounted_until;
}

/** @returns until when every time is on record where another process has recorded some of these at the same moment. */
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

/** Fires a time in place of Temporal's schedule, under the same workflow id: not while that one does. */
async function startFiring(client: Client, { id, definition }: Schedule, time: string): Promise<void> {
  const input: FireInput = { schedule: id, jitter_seconds: definition.jitter_seconds, time };
  await startWorkflow<typeof fire>({ client }, FIRE_WORKFLOW, input, 'ALLOW_DUPLICATE', {
    workflowId: fireWorkflowId(id, time),
    staticSummary: `schedule ${id}, caught up`,
  });
}

function before(time: string): string {
  return new Date(Date.parse(time) - 1).toISOString();
}
