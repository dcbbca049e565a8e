import { randomUUID } from 'node:crypto';
import { LIMITS } from '../../contracts/budgets.ts';
import type { Happening } from '../../contracts/builds/event.ts';
import { temporalScheduleId } from '../../contracts/schedules/fire-workflow.ts';
import type { ScheduleDefinition } from '../../contracts/schedules/schedule.ts';
import type { ScheduleEvent } from '../../contracts/schedules/schedule-event.ts';
import { canonicalJson } from '../../domain/record/hash.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { definitionFaults } from '../../domain/schedules/definition.ts';
import { evolveSchedule, type Schedule } from '../../domain/schedules/schedule.ts';
import { readTypedArguments } from '../../domain/tasks/task-arguments.ts';
import { argumentsFaults } from '../../domain/tasks/task-request.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findSchedule } from '../../store/schedules/schedule-find.ts';
import { listSchedules } from '../../store/schedules/schedule-list.ts';
import { SCHEDULES } from '../../store/schedules/schedule-stream.ts';
import { resolveTrigger } from '../builds/resolve-trigger.ts';
import { invalidRequest, notFound, Refusal } from '../refusal.ts';
import { applyRecorded } from './apply-recorded.ts';
import type { MakeDependencies } from './make-scheduled.ts';
import { settleTimes } from './settle-times.ts';
import { TimesRefused } from './temporal-schedule.ts';

export interface ScheduleEdit {
  name: string;
  definition: ScheduleDefinition;
  caller: string;
  /** Says whether this version may be changed. Undefined: there is none. */
  expects: (version: number | undefined) => boolean;
  /** Whether only to check it. */
  dryRun: boolean;
}

/**
 * Creates or changes a schedule. The record comes first and Temporal after it. If Temporal is away then, the same request
 * later, or the next comparison of the two, makes up for it.
 * @throws {Refusal} if it is not valid, was changed in the meantime, or Temporal is away.
 */
export async function changeSchedule(
  deps: MakeDependencies,
  { name, definition, caller, expects, dryRun }: ScheduleEdit,
): Promise<{ schedule: Schedule; created: boolean }> {
  await assertDefinition(deps, definition);
  const existing = await findSchedule(deps.db, name);
  const there = existing?.status === 'deleted' ? undefined : existing;
  assertExpected(name, there, expects);
  if (!there) await assertRoom(deps);
  if (dryRun) return { schedule: wouldBe(name, definition, caller, existing), created: false };
  const isEqual = there && canonicalJson(there.definition) === canonicalJson(definition);
  const { version, ...event } = nextVersion(name, definition, caller, existing);
  if (!isEqual) {
    // The present version has its own times. Missing ones are settled before it changes.
    if (there) await settleTimes(deps, there).catch(unlessAway);
    await recordVersion(deps, name, event, version);
  }
  try {
    return { schedule: await applyRecorded(deps, name), created: !there };
  } catch (error) {
    if (!(error instanceof TimesRefused) || isEqual) throw error;
    await takeBack(deps, name, there, version);
    throw invalidRequest([{ path: 'body', message: `Temporal refuses these times: ${error.message}` }]);
  }
}

/** Restores a schedule to what it was before a version that Temporal refused, unless it has been changed since. */
async function takeBack(
  deps: MakeDependencies,
  name: string,
  before: Schedule | undefined,
  refused: number,
): Promise<void> {
  const by = 'temporal';
  if (!before) return void (await recorded(deps, name, { type: 'schedule_deleted', data: { by, version: refused } }));
  const existing = await findSchedule(deps.db, name);
  if (existing?.version !== refused) return;
  const { version, ...event } = nextVersion(name, before.definition, by, existing);
  await recordVersion(deps, name, event, version);
  await applyRecorded(deps, name);
}

/** Ignores refusals. If Temporal is away, the next step shows that. */
function unlessAway(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
}

/** Returns the event that creates or changes a schedule, and its version. */
function nextVersion(name: string, definition: ScheduleDefinition, by: string, existing: Schedule | undefined) {
  const version = (existing?.version ?? 0) + 1;
  const told = { workflow_id: temporalScheduleId(name), version, definition, by };
  return existing
    ? ({ version, type: 'schedule_changed', data: told } as const)
    : ({ version, type: 'schedule_created', data: { name, ...told } } as const);
}

function wouldBe(name: string, definition: ScheduleDefinition, by: string, existing: Schedule | undefined): Schedule {
  const { version: _, ...event } = nextVersion(name, definition, by, existing);
  return evolveSchedule(existing, { ...event, occurred_at: new Date().toISOString(), dedupe_key: '' });
}

/** Pauses a schedule: no time fires until it is resumed. @throws {Refusal} 404, 503 */
export function pauseSchedule(deps: MakeDependencies, name: string, by: string, note?: string): Promise<Schedule> {
  return turn(deps, name, 'active', { type: 'schedule_paused', data: { by, note: note ?? null } });
}

/** Resumes a schedule. The times since it was paused are not caught up. @throws {Refusal} 404, 503 */
export function resumeSchedule(deps: MakeDependencies, name: string, by: string, note?: string): Promise<Schedule> {
  return turn(deps, name, 'paused', { type: 'schedule_resumed', data: { by, note: note ?? null } });
}

/** Deletes a schedule; its events stay. Its builds and tasks go on. @throws {Refusal} 404, 412, 503 */
export async function deleteSchedule(
  deps: MakeDependencies,
  name: string,
  by: string,
  expects: ScheduleEdit['expects'],
): Promise<void> {
  for (;;) {
    const schedule = await findSchedule(deps.db, name);
    if (!schedule) throw notFound(`schedule ${name}`);
    assertExpected(name, schedule, expects);
    const { status, version } = schedule;
    // If it is changed between the two, the caller may not want to delete what it has become.
    if (status === 'deleted' || (await recorded(deps, name, { type: 'schedule_deleted', data: { by, version } })))
      break;
  }
  await applyRecorded(deps, name);
}

/** @throws {Refusal} 412 if this version must not be changed. */
function assertExpected(name: string, schedule: Schedule | undefined, expects: ScheduleEdit['expects']): void {
  if (expects(schedule?.version)) return;
  const detail = schedule
    ? `the current version is ${schedule.version}; read it and decide again`
    : `there is no schedule ${name}`;
  throw new Refusal('precondition_failed', { detail });
}

/** Finds the schedule with this name. @throws {Refusal} 404 */
export async function existingSchedule({ db }: Pick<MakeDependencies, 'db'>, name: string): Promise<Schedule> {
  const schedule = await findSchedule(db, name);
  if (!schedule || schedule.status === 'deleted') throw notFound(`schedule ${name}`);
  return schedule;
}

type Told = Happening<ScheduleEvent>;

/** Changes a schedule to another status, unless it has that status already. */
async function turn(deps: MakeDependencies, name: string, from: Schedule['status'], event: Told): Promise<Schedule> {
  if ((await existingSchedule(deps, name)).status === from) await recorded(deps, name, event);
  return applyRecorded(deps, name);
}

/**
 * Records an event. Returns false if it cannot follow, or another one has its key: somebody else did the same or changed the schedule in
 * the meantime.
 */
async function recorded(
  { db }: MakeDependencies,
  name: string,
  event: Told,
  dedupe_key = `${event.type}:${randomUUID()}`,
): Promise<boolean> {
  const told = { ...event, occurred_at: new Date().toISOString(), dedupe_key } as ScheduleEvent;
  return appendEvent(db, SCHEDULES, name, told).then(
    ({ repeated }) => !repeated,
    (error: unknown) => {
      if (!(error instanceof IllegalEvent)) throw error;
      return false;
    },
  );
}

/** Records a version. If two ask for one at once, the second has not seen the first. */
async function recordVersion(deps: MakeDependencies, name: string, event: Told, version: number): Promise<void> {
  if (await recorded(deps, name, event, `version:${version}`)) return;
  const detail = `schedule ${name} was changed in the meantime; read it and decide again`;
  throw new Refusal('precondition_failed', { detail });
}

async function assertRoom({ db }: MakeDependencies): Promise<void> {
  const most = LIMITS.schedules.schedules;
  if ((await listSchedules(db, { deleted: false })).length < most) return;
  throw new Refusal('state_conflict', {
    detail: `there are ${most} schedules, and no more are allowed; delete one first`,
  });
}

/** @throws {Refusal} if the schedule could never fire as it is. */
async function assertDefinition(deps: MakeDependencies, definition: ScheduleDefinition): Promise<void> {
  const { build, task } = definition;
  const faults = definitionFaults(definition);
  if (task) faults.push(...(await taskFaults(deps, task)));
  if (faults.length > 0) throw invalidRequest(faults.map(({ path, message }) => ({ path: `body.${path}`, message })));
  const rules = { correlationInput: deps.policy.correlation_input, forges: deps.forges };
  if (build) await resolveTrigger(deps.configurations, build, rules, undefined);
}

async function taskFaults({ taskTypes }: MakeDependencies, task: NonNullable<ScheduleDefinition['task']>) {
  const { name: asked, args, kwargs } = task;
  const type = await taskTypes.find(asked);
  if (!type) {
    const detail = `no worker has registered the task ${asked.slice(0, 100)}; start a worker that has it first`;
    throw new Refusal('unknown_task', { detail });
  }
  const read = readTypedArguments(type, args, kwargs);
  const faults = 'faults' in read ? read.faults : argumentsFaults(args, kwargs);
  return faults.map(({ path, message }) => ({ path: `task.${path.replace(/^body\./, '')}`, message }));
}
