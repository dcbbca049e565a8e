import {
  type CalendarSpec,
  type Client,
  DAYS_OF_WEEK,
  MONTHS,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleSpec,
  ServiceError,
} from '@temporalio/client';
import { LIMITS } from '../../contracts/budgets.ts';
import type { InstallationMemo } from '../../contracts/builds/build-workflow.ts';
import { FIRE_WORKFLOW, type FireInput } from '../../contracts/schedules/fire-workflow.ts';
import type { Calendar, ScheduleDefinition } from '../../contracts/schedules/schedule.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/tasks/task-queues.ts';
import { cronOf, readCalendar } from '../../domain/schedules/cron.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';
import type { KnownInstallation } from '../lifecycle/installation.ts';
import { temporalFault } from '../lifecycle/start-workflow.ts';
import { Refusal } from '../refusal.ts';

export interface TemporalScheduleDependencies {
  client: Client;
  installation: Pick<KnownInstallation, 'memo'>;
}

/** Input of the workflows that Temporal's schedule starts. It holds the whole schedule, in case the record loses it. */
export interface ScheduledInput extends FireInput {
  version: number;
  definition: ScheduleDefinition;
}

/** The prefix of our notes for pausing and resuming. A person's note in Temporal's Web UI lacks it. */
const NOTE = 'hapax: ';

/** Thrown if Temporal cannot read the times of a schedule: its time zones may be older than ours. */
export class TimesRefused extends Error {
  override readonly name = 'TimesRefused';
}

/** A process that was started without the keys must not write in the clear what the others encrypt. */
const NO_KEY = 'Temporal has the schedule encrypted, and TEMPORAL_CODEC_KEYS is not set';

/** How long Temporal may take to respond. */
const TIMEOUT_MS = 10_000;

/**
 * Makes Temporal's schedule match the record: creates, changes, pauses or deletes it. Safe to repeat.
 * @throws {Refusal} if Temporal cannot be reached. @throws {TimesRefused}
 */
export async function applySchedule(deps: TemporalScheduleDependencies, schedule: Schedule): Promise<void> {
  const { client, installation } = deps;
  const wanted = wantedOf(schedule);
  const scheduleId = schedule.workflow_id;
  const memo: InstallationMemo = installation.memo;
  const create = () => client.schedule.create({ scheduleId, memo: { ...memo }, ...wanted });
  await inTemporal(client, async () => {
    const handle = client.schedule.getHandle(scheduleId);
    try {
      if (schedule.status === 'deleted') return await handle.delete();
      await create();
    } catch (error) {
      if (error instanceof ScheduleNotFoundError && schedule.status === 'deleted') return;
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const { namespace } = client.options;
      const there = await client.workflowService.describeSchedule({ namespace, scheduleId });
      if (await hasPresentKey(client, there)) return handle.update(() => wanted);
      if (client.options.loadedDataConverter.payloadCodecs.length === 0)
        throw new Refusal('internal', { detail: NO_KEY });
      // An update reads what is there, and leaves the memo as it is.
      await handle.delete();
      await create();
    }
  });
}

/**
 * Says whether the payloads of Temporal's schedule are encrypted with the key that encrypts now, or not at all if there is none.
 * Temporal itself never encrypts them again.
 */
export async function hasPresentKey(client: Client, { schedule, memo }: StoredPayloads): Promise<boolean> {
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  let sample = [payloadConverter.toPayload('')!];
  for (const codec of payloadCodecs) sample = await codec.encode(sample);
  const stored = [...(schedule?.action?.startWorkflow?.input?.payloads ?? []), ...Object.values(memo?.fields ?? {})];
  return stored.every((payload) => metadataOf(payload) === metadataOf(sample[0]!));
}

type StoredPayloads = Pick<ScheduleDescription['raw'], 'schedule' | 'memo'>;

/** Returns how a payload is encoded and, if it is encrypted, with which key. */
function metadataOf({ metadata }: { metadata?: Record<string, Uint8Array> | null | undefined }): string {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => `${name}=${Buffer.from(value).toString()}`);
  return entries.sort().join();
}

/**
 * Describes Temporal's schedule; undefined if it has none; `unreadable` if this process does not have the key that encrypted it.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export function describeSchedule(client: Client, id: string): Promise<ScheduleDescription | 'unreadable' | undefined> {
  return inTemporal(client, async () => {
    try {
      return await client.schedule.getHandle(id).describe();
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      if (error instanceof ServiceError) throw error;
      return 'unreadable';
    }
  });
}

/** Returns how a person paused or resumed it in Temporal's Web UI; undefined if the state there is ours. */
export function pausedByHand({ state }: ScheduleDescription): { paused: boolean; note: string } | undefined {
  const { paused, note = '' } = state;
  return note.startsWith(NOTE) ? undefined : { paused, note };
}

/**
 * Lists the times of a schedule after one and up to another, in order, as Temporal computes them; only the first, if they are many.
 * @throws {Refusal} if Temporal cannot be reached.
 */
export async function listDueTimes(client: Client, id: string, after: string, until: string): Promise<string[]> {
  const { startTime } = await inTemporal(client, () =>
    client.workflowService.listScheduleMatchingTimes({
      namespace: client.options.namespace,
      scheduleId: id,
      startTime: protoTime(after),
      endTime: protoTime(until),
    }),
  );
  const times = (startTime ?? []).map(isoTime);
  return times.filter((time) => time > after && time <= until).slice(0, LIMITS.schedules.dueTimes);
}

/** Lists when each schedule fires next, by its id in Temporal. @throws {Refusal} if Temporal cannot be reached. */
export function listNextFirings(client: Client): Promise<ReadonlyMap<string, string>> {
  return inTemporal(client, async () => {
    const found = new Map<string, string>();
    for await (const { id, next } of listTemporalSchedules(client)) {
      if (next) found.set(id, next);
      if (found.size >= LIMITS.schedules.schedules) break;
    }
    return found;
  });
}

/** Lists all schedules in Temporal, page by page. Temporal's client would fail at a memo whose key is gone; this reads no memo. */
export async function* listTemporalSchedules(client: Client): AsyncGenerator<{ id: string; next?: string }> {
  const { namespace } = client.options;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listSchedules({ namespace, ...(nextPageToken && { nextPageToken }) });
    for (const { scheduleId, info } of page.schedules ?? []) {
      const [next] = info?.futureActionTimes ?? [];
      yield { id: scheduleId!, ...(next && { next: isoTime(next) }) };
    }
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken && nextPageToken.length > 0);
}

/** Returns the input for the workflows of a schedule, as Temporal has it. */
export function inputOfSchedule({ action }: ScheduleDescription): ScheduledInput | undefined {
  return (action.args as [ScheduledInput | undefined] | undefined)?.[0];
}

async function inTemporal<T>(client: Client, work: () => Promise<T>): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + TIMEOUT_MS, work);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const refused = refusedTimes(error);
    throw refused === undefined ? temporalFault(error) : new TimesRefused(refused, { cause: error });
  }
}

/** Says why Temporal cannot read the times. Its client reports that in one of two ways, depending on the kind of connection. */
function refusedTimes(error: unknown): string | undefined {
  if (error instanceof TypeError) return error.message;
  const { message = '' } = (error as { cause?: Error }).cause ?? {};
  return /Invalid schedule spec: (.*)/s.exec(message)?.[1];
}

/** Returns a time of Temporal, which fires at whole seconds. */
function isoTime({ seconds }: { seconds?: unknown }): string {
  return new Date(Number(seconds ?? 0) * 1_000).toISOString();
}

function protoTime(iso: string) {
  const ms = Date.parse(iso);
  return { seconds: Math.floor(ms / 1_000) as never, nanos: (((ms % 1_000) + 1_000) % 1_000) * 1_000_000 };
}

/** Returns everything of Temporal's schedule except its memo. Overlap and jitter are ours: Temporal's own leave nothing in the record. */
function wantedOf({ id, workflow_id, version, definition, status, paused_note, changed_by }: Schedule) {
  const { jitter_seconds, catch_up_seconds } = definition;
  const input: ScheduledInput = { schedule: id, jitter_seconds, version, definition };
  return {
    spec: specOf(definition),
    policies: { overlap: 'ALLOW_ALL' as const, catchupWindow: catch_up_seconds * 1_000 },
    state: {
      paused: status === 'paused',
      note:
        NOTE +
        (status === 'paused'
          ? `paused${paused_note ? `: ${paused_note}` : ''}`
          : `version ${version} by ${changed_by}`),
    },
    action: {
      type: 'startWorkflow' as const,
      workflowType: FIRE_WORKFLOW,
      workflowId: workflow_id,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      staticSummary: `schedule ${id}`,
    },
  };
}

function specOf({ cron, intervals, calendars, except, time_zone, start_at, end_at }: ScheduleDefinition): ScheduleSpec {
  return {
    cronExpressions: [...cron, ...calendars.map(cronOf)],
    intervals: intervals.map(({ every_seconds, offset_seconds }) => ({
      every: every_seconds * 1_000,
      offset: offset_seconds * 1_000,
    })),
    skip: except.map(exceptionOf),
    timezone: time_zone,
    ...(start_at === null ? {} : { startAt: new Date(start_at) }),
    ...(end_at === null ? {} : { endAt: new Date(end_at) }),
  };
}

function exceptionOf(calendar: Calendar): CalendarSpec {
  const read = readCalendar(calendar);
  if ('fault' in read) throw new Error(read.fault);
  const { second, minute, hour, day_of_month, month, year, day_of_week } = read.matches;
  return {
    second,
    minute,
    hour,
    dayOfMonth: day_of_month,
    month: month.map((number) => MONTHS[number - 1]!),
    year: year.length === 0 ? '*' : year,
    dayOfWeek: day_of_week.map((number) => DAYS_OF_WEEK[number]!),
  };
}
