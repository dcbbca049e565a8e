/**
 * Stands for the files of src/store that builds need: see hooks.ts. Same names, same rules, the same decisions (`evolve`)
 * and hashes; what Postgres does in one statement happens here at one moment.
 */
import postgres from 'postgres';
import type { BuildInput } from '../../src/contracts/builds/build-workflow.ts';
import type { BuildConfiguration } from '../../src/contracts/builds/configuration.ts';
import type { RecordedEvent, ToldEvent } from '../../src/contracts/builds/event.ts';
import type { AnnouncedRun } from '../../src/contracts/github/github.ts';
import { type Build, replays } from '../../src/domain/builds/build.ts';
import type { TakenRun } from '../../src/domain/builds/shadow-runs.ts';
import { buildQueuedEvent } from '../../src/domain/record/first-events.ts';
import { eventHash, GENESIS_HASH } from '../../src/domain/record/hash.ts';
import { assertExpected, type ExpectedStream, RecordSetBack } from '../../src/domain/record/stream-fault.ts';
import type { BuildAhead } from '../../src/store/builds/build-list-ahead.ts';
import type { Place } from '../../src/store/builds/build-list-places.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import type { Ending } from '../../src/store/endings/ending-list.ts';
import type { Installation } from '../../src/store/installation/installation-find.ts';
import type { Reconciliation } from '../../src/store/installation/reconciliation-save.ts';
import { type AnyStreamKind, dataOf, streamOf } from '../../src/store/record/stream-kind.ts';

/** What may go wrong on the way to the record and back. */
export interface Road {
  /** Resolves when the query has arrived, or throws where it never does. */
  there(query: string): Promise<void>;
  /** Resolves when the answer is back, or throws where it was lost. */
  back(query: string): Promise<void>;
}

/** The failure of a query whose connection broke or was refused. */
export function awayError(): Error {
  return Object.assign(new Error('the database is away'), { code: 'CONNECTION_CLOSED' });
}

/** The failure of a statement that would break a unique index. */
function conflictError(): Error {
  return new postgres.PostgresError({ message: 'duplicate key', code: '23505' } as never);
}

/** The record of one simulated installation. */
export class MemoryRecord {
  readonly #road: Road;
  builds = new Map<number, Build>();
  streams = new Map<string, RecordedEvent[]>();
  /** Until when each is claimed, epoch milliseconds; for ever once it is settled. */
  deliveries = new Map<string, number>();
  claims = new Set<string>();
  shadowRuns: TakenRun[] = [];
  installation: Installation & { claimed_at: number } = {
    id: '5e0f2bd4-6a52-4f0e-9d3c-8c9d1f6f2a10',
    epoch: 1,
    reconciled_at: null,
    differences: 0,
    unresolved: 0,
    reconciled_epoch: 1,
    claimed_at: 0,
  };
  /** The last id of a build that was handed out. */
  lastId = 0;
  #position = 0;

  constructor(road: Road) {
    this.#road = road;
  }

  /** A copy of the whole record as it is now; what it answers puts the record back to that. */
  snapshot(): () => void {
    const { builds, streams, deliveries, claims, shadowRuns, installation, lastId } = this;
    const kept = {
      builds: new Map(builds),
      streams: new Map(streams),
      deliveries: new Map(deliveries),
      claims: new Set(claims),
      shadowRuns: [...shadowRuns],
      installation: { ...installation },
      lastId,
    };
    const position = this.#position;
    return () => {
      Object.assign(this, kept);
      this.#position = position;
    };
  }

  /** Sees to it that ids go on above this one, in a new epoch. */
  advance(highest: number): number {
    this.lastId = (Math.floor(highest / EPOCH_IDS) + 1) * EPOCH_IDS;
    this.installation.epoch += 1;
    return this.installation.epoch;
  }

  /** Asks something of the record, over the road there and back. */
  async ask<T>(query: string, answer: () => T): Promise<T> {
    await this.#road.there(query);
    const result = answer();
    await this.#road.back(query);
    return result;
  }

  append(kind: AnyStreamKind, id: number, event: ToldEvent, expected: ExpectedStream = {}) {
    const stream = streamOf(kind, id);
    const data = dataOf(kind, event);
    const events = this.streams.get(stream) ?? [];
    const before = this.builds.get(id);
    assertExpected(stream, { seq: events.length, state: before }, expected);
    const standing = events.find((other) => other.dedupe_key === event.dedupe_key);
    if (standing) return { event: standing, repeated: true };
    if (!before && event.type !== kind.first) throw new RecordSetBack(`${stream} has no events`);
    const state = kind.evolve(before, event) as Build;
    // The unique index builds_one_per_lane.
    if (state.status === 'in_progress' && this.inLane(state).some(({ status }) => status === 'in_progress')) {
      throw conflictError();
    }
    const body = {
      stream,
      seq: events.length + 1,
      type: event.type,
      from_status: before && before.status !== state.status ? before.status : null,
      to_status: before?.status !== state.status ? state.status : null,
      data,
      occurred_at: event.occurred_at,
      recorded_at: new Date().toISOString(),
      dedupe_key: event.dedupe_key,
      previous_hash: events.at(-1)?.hash ?? GENESIS_HASH,
    };
    this.#position += 1;
    const recorded = { ...body, hash: eventHash(body), position: this.#position } as RecordedEvent;
    this.streams.set(stream, [...events, recorded]);
    this.builds.set(id, state);
    return { event: recorded, repeated: false, state };
  }

  /** Builds that take turns with this one and have not ended. */
  inLane(own: Build): Build[] {
    if (own.lane === null) return [];
    return [...this.builds.values()].filter(
      (other) => other.id !== own.id && other.completed_at === null && other.lane === own.lane,
    );
  }

  newest(which: (build: Build) => boolean): Build | undefined {
    return [...this.builds.values()].filter(which).sort((a, b) => b.id - a.id)[0];
  }
}

/** As src/store/builds/build-id-advance.ts has it. */
const EPOCH_IDS = 1_000_000;

/** The code under test passes on what it was given as its database. */
type Db = MemoryRecord;

export function appendEvent(
  db: Db,
  kind: AnyStreamKind,
  id: number,
  event: ToldEvent,
  expected?: ExpectedStream,
  follower?: ToldEvent,
) {
  return db.ask(`append ${event.type}`, () => {
    const first = db.append(kind, id, event, expected);
    const last = follower && !first.repeated ? db.append(kind, id, follower) : first;
    // The follower may have been appended behind an earlier event.
    return { ...first, seq: Math.max(first.event.seq, last.event.seq) };
  });
}

export function appendEvents(
  db: Db,
  kind: AnyStreamKind,
  id: number,
  events: readonly ToldEvent[],
  expected: ExpectedStream = {},
) {
  return db.ask(`append ${events.map(({ type }) => type).join(' and ')}`, () => {
    events.forEach((event, n) => {
      db.append(kind, id, event, n === 0 ? expected : {});
    });
    return { seq: db.streams.get(streamOf(kind, id))!.length, state: db.builds.get(id) };
  });
}

export function claimRequest(db: Db, key: string): Promise<boolean> {
  return db.ask('claim request', () => db.claims.size < db.claims.add(key).size);
}

/** As the table has it: a run for one build, and one run of its own for a build that has not ended. */
export function takeShadowRun(db: Db, _place: string, run: TakenRun): Promise<boolean> {
  return db.ask('take shadow run', () => {
    const others = db.shadowRuns.filter((one) => one.run_id !== run.run_id || !isFree(db, one));
    const isTaken = others.some(
      ({ run_id, build_id, doubled }) =>
        run_id === run.run_id || (build_id === run.build_id && !doubled && !run.doubled),
    );
    const isLate = !run.doubled && (db.builds.get(run.build_id)?.completed_at ?? null) !== null;
    if (!isTaken && !isLate) db.shadowRuns = [...others, run];
    return !isTaken && !isLate;
  });
}
/** As src/store/shadow/shadow-run-is-free.ts has it. */
function isFree({ builds }: Db, { build_id, doubled }: TakenRun): boolean {
  const { completed_at = null, workflow_run_id } = builds.get(build_id) ?? {};
  return !doubled && completed_at !== null && workflow_run_id === null;
}
export function listShadowRuns(db: Db, _place: string, since: string): Promise<TakenRun[]> {
  return db.ask('list shadow runs', () =>
    db.shadowRuns.filter((run) => run.run_created_at >= since && !isFree(db, run)),
  );
}
export function listShadowRunsOfBuild(db: Db, id: number): Promise<TakenRun[]> {
  return db.ask('list shadow runs of build', () => db.shadowRuns.filter(({ build_id }) => build_id === id));
}
export function listShadowBuilds(db: Db, _repository: string, since: string, limit: number): Promise<Build[]> {
  return db.ask('list shadow builds', () =>
    [...db.builds.values()]
      .filter(({ request, created_at }) => request.shadow && created_at >= since)
      .sort((a, b) => b.id - a.id)
      .slice(0, limit),
  );
}

/** As src/store/builds/build-queue-once.ts has it: one transaction, in which nobody else with an equal request is. */
export function queueOnce(db: Db, input: BuildInput): Promise<Build | undefined> {
  return db.ask('queue once', () => {
    const { build_id, request_key, workflow_id, created_at } = input;
    const known = db.newest((build) => build.request_key === request_key);
    if (known && replays(known, created_at)) return known;
    db.append(BUILDS, build_id, buildQueuedEvent(input), { owner: { workflow_id, created_at } });
    return undefined;
  });
}

export function findDispatchAnswer(db: Db, buildId: number, token: string): Promise<RecordedEvent | undefined> {
  return db.ask('find dispatch answer', () => {
    const events = db.streams.get(streamOf(BUILDS, buildId)) ?? [];
    const intent = events.find(({ type, data }) => type === 'dispatch_intended' && data.token === token);
    if (!intent) return undefined;
    return events.find(
      ({ type, seq, data }) =>
        seq > intent.seq &&
        ['dispatch_rejected', 'dispatch_delayed', 'dispatch_ambiguous'].includes(type) &&
        data.attempt === intent.data.attempt,
    );
  });
}

export function findBuild(db: Db, id: number): Promise<Build | undefined> {
  return db.ask('find build', () => db.builds.get(id));
}

export function findBuildByRequestKey(db: Db, key: string): Promise<Build | undefined> {
  return db.ask('find build by key', () => db.newest((build) => build.request_key === key));
}

export function findBuildByRun(db: Db, runId: number): Promise<Build | undefined> {
  return db.ask('find build by run', () => db.newest((build) => build.workflow_run_id === runId));
}

export function findStream(db: Db, kind: AnyStreamKind, id: number) {
  return db.ask('find build with events', () => {
    const state = db.builds.get(id);
    return state && { state, events: db.streams.get(streamOf(kind, id)) ?? [] };
  });
}

export function listBuildsAhead(db: Db, id: number): Promise<BuildAhead[]> {
  return db.ask('list builds ahead', () => {
    const own = db.builds.get(id);
    if (own?.status !== 'queued') return [];
    const isLater = (other: Build) =>
      other.queued_at > own.queued_at || (other.queued_at === own.queued_at && other.id > own.id);
    const mates = db
      .inLane(own)
      .map((other) => ({ other, later: isLater(other) }))
      .map(({ other, later }) => ({ other, later, supersedes: later && other.concurrency === 'cancel_previous' }))
      .filter(({ other, later, supersedes }) => supersedes || !later || other.status === 'in_progress');
    const place = ({ other, supersedes }: (typeof mates)[number]) =>
      `${supersedes ? 0 : 1} ${other.status} ${other.queued_at} ${String(other.id).padStart(9, '0')}`;
    return mates
      .toSorted((a, b) => (place(a) < place(b) ? -1 : 1))
      .map(({ other: { id, workflow_id, status }, supersedes }) => ({
        id,
        workflow_id,
        status: status as BuildAhead['status'],
        supersedes,
      }));
  });
}

/** All builds of the simulation are of one repository and recent. */
export function listPlacesOfBuilds(db: Db, _withinMs: number): Promise<Place[]> {
  return db.ask('list places', () => {
    const ended = [...db.builds.values()].find(({ completed_at }) => completed_at !== null);
    return ended ? [{ repository: ended.request.repository }] : [];
  });
}

export function findInstallation(db: Db): Promise<Installation> {
  return db.ask('find installation', () => ({ ...db.installation }));
}
export function adoptInstallation(db: Db, id: string, lastEpoch: number): Promise<boolean> {
  return db.ask('adopt installation', () => {
    const isEmpty = db.streams.size === 0;
    if (isEmpty) Object.assign(db.installation, { id, epoch: lastEpoch + 1 });
    return isEmpty;
  });
}
export function claimReconciliation(db: Db, withinMs: number): Promise<boolean> {
  return db.ask('claim reconciliation', () => {
    const isFree = db.installation.claimed_at <= Date.now() - withinMs;
    if (isFree) db.installation.claimed_at = Date.now();
    return isFree;
  });
}
export function saveReconciliation(db: Db, { began_at, ...found }: Reconciliation): Promise<void> {
  return db.ask(
    'save reconciliation',
    () => void Object.assign(db.installation, { reconciled_at: began_at, ...found }),
  );
}
export function reserveBuildIds(db: Db, count: number): Promise<number[]> {
  return db.ask('reserve ids', () => Array.from({ length: count }, () => ++db.lastId));
}
export function advanceBuildIds(db: Db, highest: number): Promise<number | undefined> {
  return db.ask('advance ids', () => (db.lastId < highest ? db.advance(highest) : undefined));
}

/** There are no tasks. */
export async function* listOpen(db: Db, { table }: { table: string }): AsyncGenerator<Ending> {
  if (table !== BUILDS.table) return;
  yield* await db.ask('list open builds', () =>
    [...db.builds.values()].filter(({ completed_at }) => completed_at === null).sort((a, b) => a.id - b.id),
  );
}
export async function findEndings(db: Db, { table }: { table: string }, ids: number[]): Promise<Ending[]> {
  if (table !== BUILDS.table) return [];
  return db.ask('find endings', () => ids.map((id) => db.builds.get(id)).filter((build) => build !== undefined));
}

/** Builds of the simulation ask for no callback. */
export async function findCallbackUrl(_db: Db, _subject: string): Promise<string | undefined> {
  return undefined;
}
export async function saveCallbackTarget(_db: Db, _subject: string, _url: string): Promise<void> {}
export async function listUntoldCallbacks(_db: Db, _withinMs: number): Promise<never[]> {
  return [];
}
export async function listEndingsWithPendingReplies(_db: Db, _withinMs: number): Promise<never[]> {
  return [];
}
/** There are no schedules and no subscriptions. */
export async function findSchedule(_db: Db, _name: string): Promise<undefined> {}
export async function listSchedules(_db: Db): Promise<never[]> {
  return [];
}
export async function listActiveSubscriptions(_db: Db): Promise<never[]> {
  return [];
}
export async function listCallbackTargets(_db: Db, _subject: string): Promise<string[]> {
  return [];
}

export function claimDelivery(db: Db, id: string, _run: AnnouncedRun, forMs: number): Promise<boolean> {
  return db.ask('claim delivery', () => {
    const free = (db.deliveries.get(id) ?? 0) <= Date.now();
    if (free) db.deliveries.set(id, Date.now() + forMs);
    return free;
  });
}
export function settleDelivery(db: Db, id: string): Promise<void> {
  return db.ask('settle delivery', () => void db.deliveries.set(id, Number.POSITIVE_INFINITY));
}
export function releaseDelivery(db: Db, id: string): Promise<void> {
  return db.ask('release delivery', () => void db.deliveries.set(id, 0));
}

/** Builds of the simulation all use the configuration that they are given. */
export async function findConfiguration(_db: Db, _id: number): Promise<BuildConfiguration | undefined> {
  return undefined;
}
export async function findConfigurationByName(_db: Db, _name: string): Promise<BuildConfiguration | undefined> {
  return undefined;
}
export async function findConfigurationVersion(
  _db: Db,
  _id: number,
  _version: number,
): Promise<BuildConfiguration | undefined> {
  return undefined;
}
