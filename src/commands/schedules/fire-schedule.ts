import type { Happening } from '../../contracts/builds/event.ts';
import type { ScheduleEvent } from '../../contracts/schedules/schedule-event.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { eventExists } from '../../store/record/event-exists.ts';
import { listOpenOf } from '../../store/schedules/made-list-open.ts';
import { findSchedule } from '../../store/schedules/schedule-find.ts';
import { timeKey, waitingKey } from '../../store/schedules/schedule-list-known-times.ts';
import { SCHEDULES, scheduleStream } from '../../store/schedules/schedule-stream.ts';
import { claimScheduleTurn, releaseScheduleTurn } from '../../store/schedules/schedule-turn-claim.ts';
import { cancelBuild } from '../builds/operate-build.ts';
import { Refusal } from '../refusal.ts';
import { revokeIfOpen } from '../tasks/revoke-task.ts';
import { firingKey, type MadeNow, type MakeDependencies, makeScheduled, wasBegun } from './make-scheduled.ts';
import { hasTimeToo, settleTimesSometimes } from './settle-times.ts';

/**
 * The outcome of a scheduled time. `wait`: nothing yet; look again after the pause or, without one, soon and then less and less often.
 */
export type FireOutcome =
  | { kind: 'fired'; made: string[] }
  | { kind: 'skipped'; reason: string }
  | { kind: 'known' }
  | { kind: 'gone' }
  | { kind: 'wait'; reason: string; again_ms: number | null };

/** How long one look may take. If a process dies, its turn ends after this. */
const TURN_MS = 20_000;
const NEXT_LOOK_MS = 1_000;
/** For how long after its time a firing waits until the record has its version again. */
const BEHIND_MS = 3_600_000;

/**
 * Fires a scheduled time: makes the schedule's builds or task, or records why not. The time is the key of all of them, so a
 * time that is fired twice makes everything once.
 * @param version the version of the schedule that has this time, if it is known.
 * @throws {Refusal} if something is away or at fault. A later call goes on.
 */
export async function fireSchedule(
  deps: MakeDependencies,
  name: string,
  time: string,
  version: number | undefined,
): Promise<FireOutcome> {
  const schedule = await findSchedule(deps.db, name);
  if (isBehind(schedule, time, version)) {
    return { kind: 'wait', reason: 'the record has lost this version of the schedule', again_ms: null };
  }
  if (!schedule || schedule.status === 'deleted') return { kind: 'gone' };
  if (await eventExists(deps.db, scheduleStream(name), timeKey(time))) return { kind: 'known' };
  if (schedule.definition.overlap === 'allow') return new Firing(deps, schedule, time, version).run();
  if (!(await claimScheduleTurn(deps.db, name, time, TURN_MS))) {
    return { kind: 'wait', reason: 'another time of the schedule is being fired', again_ms: null };
  }
  try {
    // Reads the schedule again, now that nobody else fires it.
    return await new Firing(deps, (await findSchedule(deps.db, name)) ?? schedule, time, version).run();
  } finally {
    await releaseScheduleTurn(deps.db, name, time).catch(() => {});
  }
}

/** Says whether the record was set back to before this version. Its comparison with Temporal, at a start, brings the version back. */
function isBehind(schedule: Schedule | undefined, time: string, version = 0): boolean {
  return version > (schedule?.version ?? 0) && Date.now() - Date.parse(time) < BEHIND_MS;
}

class Firing {
  readonly #deps: MakeDependencies;
  readonly #schedule: Schedule;
  readonly #time: string;
  /** The version that has this time; the present one if it is not known. */
  readonly #version: number;
  readonly #cancelled: string[] = [];
  #accountedUntil: string;

  constructor(deps: MakeDependencies, schedule: Schedule, time: string, version = schedule.version) {
    this.#deps = deps;
    this.#schedule = schedule;
    this.#time = time;
    this.#version = version;
    this.#accountedUntil = schedule.accounted_until;
  }

  async run(): Promise<FireOutcome> {
    const { status, version, waiting_time, paused_note, definition, accounted_until } = this.#schedule;
    const { catch_up_seconds, jitter_seconds, overlap } = definition;
    const lateMs = Date.now() - Date.parse(this.#time);
    const isWaiting = waiting_time === this.#time;
    const isLate = lateMs > (catch_up_seconds + jitter_seconds) * 1_000 && !isWaiting;
    const isOutdated =
      !isWaiting && this.#version < version && !(await hasTimeToo(this.#deps, this.#schedule, this.#time));
    if ((status === 'paused' || isLate || isOutdated) && !(await wasBegun(this.#deps, this.#schedule, this.#key))) {
      if (status === 'paused') return this.#skip('paused', paused_note ?? 'the schedule is paused');
      if (isOutdated) return this.#miss();
      // Every time until then is on record already: as missed, or from before the schedule was changed.
      if (this.#time <= accounted_until) return { kind: 'known' };
      return this.#skip('late', `it was due ${Math.round(lateMs / 1_000)} s ago`);
    }
    this.#accountedUntil = await this.#settled();
    const open = overlap === 'allow' ? new Set<string>() : await this.#listOpen();
    if (open.size > 0 && !definition.builds) {
      if (overlap === 'skip') return this.#skip('overlap', `${[...open].join(', ')} has not ended`);
      if (overlap === 'buffer_one') return this.#wait([...open]);
    }
    if (overlap === 'cancel_other') await this.#cancel([...open]);
    const running = overlap === 'skip' ? this.#schedule.last_made.filter(({ made }) => open.has(made)) : [];
    return this.#make(running, lateMs);
  }

  async #make(running: Schedule['last_made'], lateMs: number): Promise<FireOutcome> {
    const leftOut = new Set(running.map(({ config }) => config ?? ''));
    let now: MadeNow;
    try {
      now = await makeScheduled(this.#deps, this.#schedule, this.#key, leftOut);
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
      return this.#skip('refused', error.message);
    }
    const { made, refused } = now;
    if (made.length === 0 && running.length > 0 && refused.length === 0) {
      return this.#skip('overlap', 'no build of the last firing has ended');
    }
    if (made.length === 0 && refused.length === 0) return this.#skip('no_match', 'no build configuration matches');
    if (made.length === 0 && running.length === 0) {
      return this.#skip('refused', refused.map(({ config, detail }) => `${config}: ${detail}`).join('; '));
    }
    await this.#record({
      type: 'schedule_fired',
      data: {
        time: this.#time,
        made,
        ...(running.length > 0 ? { running } : {}),
        ...(refused.length > 0 ? { refused } : {}),
        ...(this.#cancelled.length > 0 ? { cancelled: this.#cancelled } : {}),
        late_ms: Math.max(0, lateMs),
        by: null,
        accounted_until: this.#accountedUntil,
      },
    });
    return { kind: 'fired', made: made.map((one) => one.made) };
  }

  /** Records that a time of an earlier version had not fired when the schedule changed. Later times of that version do not count. */
  async #miss(): Promise<FireOutcome> {
    if (this.#time > this.#schedule.changed_at) return { kind: 'known' };
    const detail = 'the schedule was changed before it fired; nothing was made';
    const data = { times: [this.#time], detail, accounted_until: this.#accountedUntil };
    await this.#record({ type: 'schedule_missed', data });
    return { kind: 'skipped', reason: 'changed' };
  }

  /** Compares all times with the record. If that fails, it can wait for the next firing; this firing cannot. */
  async #settled(): Promise<string> {
    try {
      return await settleTimesSometimes(this.#deps, this.#schedule);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#deps.log.warn({ err: error, schedule: this.#schedule.id }, 'the times of a schedule could not be compared');
      return this.#schedule.accounted_until;
    }
  }

  get #key(): string {
    return firingKey(this.#schedule.id, this.#time);
  }

  #listOpen(): Promise<Set<string>> {
    return listOpenOf(
      this.#deps.db,
      this.#schedule.last_made.map(({ made }) => made),
    );
  }

  /** Waits for the end of the open builds and tasks. Skips the time if an earlier one already waits. */
  async #wait(waits_for: string[]): Promise<FireOutcome> {
    const { waiting_time } = this.#schedule;
    const reason = `${waits_for.join(', ')} has not ended`;
    if (waiting_time !== null && waiting_time !== this.#time) {
      return this.#skip('overlap', `${reason}, and ${waiting_time} waits already`);
    }
    if (waiting_time === null) {
      try {
        await this.#record(
          { type: 'schedule_buffered', data: { time: this.#time, waits_for } },
          waitingKey(this.#time),
        );
      } catch (error) {
        // Another time was first, in a process that had lost its turn.
        if (!(error instanceof IllegalEvent)) throw error;
      }
    }
    return { kind: 'wait', reason, again_ms: NEXT_LOOK_MS };
  }

  async #cancel(open: string[]): Promise<void> {
    const by = `schedule:${this.#schedule.id}`;
    for (const made of open) {
      const [kind, id = ''] = made.split(/:(.*)/s);
      const isAsked =
        kind === 'task'
          ? await revokeIfOpen(this.#deps, id, { by, reason: 'terminated' })
          : await cancelIfPossible(this.#deps, Number(id), by);
      if (isAsked) this.#cancelled.push(made);
    }
  }

  async #skip(
    reason: Extract<ScheduleEvent, { type: 'schedule_skipped' }>['data']['reason'],
    detail: string,
  ): Promise<FireOutcome> {
    const data = { time: this.#time, reason, detail: detail.slice(0, 2_000), accounted_until: this.#accountedUntil };
    await this.#record({ type: 'schedule_skipped', data });
    return { kind: 'skipped', reason };
  }

  async #record(event: Happening<ScheduleEvent>, dedupe_key = timeKey(this.#time)): Promise<void> {
    const told = { ...event, occurred_at: new Date().toISOString(), dedupe_key } as ScheduleEvent;
    await appendEvent(this.#deps.db, SCHEDULES, this.#schedule.id, told);
  }
}

/** Returns false if the build has ended, or nobody but its forge can stop its run. */
async function cancelIfPossible(deps: MakeDependencies, id: number, by: string): Promise<boolean> {
  try {
    await cancelBuild(deps, id, by);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'request') return false;
    throw error;
  }
}
