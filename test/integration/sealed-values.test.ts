import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { erase } from '../../src/commands/erasures/erase.ts';
import { findErasable } from '../../src/commands/erasures/erase-many.ts';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { foldEvents } from '../../src/domain/record/fold.ts';
import { eventHash, GENESIS_HASH } from '../../src/domain/record/hash.ts';
import { LogAudit } from '../../src/domain/record/log-audit.ts';
import { findBuild } from '../../src/store/builds/build-find.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { listFailedSteps } from '../../src/store/builds/failed-step-list.ts';
import { takeUnnamedMessage } from '../../src/store/celery/unnamed-message-take.ts';
import { type Db, openDatabase, readSnapshot } from '../../src/store/database.ts';
import { eraseSubject } from '../../src/store/erasures/subject-erase.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { listEvents } from '../../src/store/record/event-list-by-stream.ts';
import { rebuildProjection } from '../../src/store/record/projection-rebuild.ts';
import { auditRecord } from '../../src/store/record/record-audit.ts';
import { claimRequestKey } from '../../src/store/request-key-claim.ts';
import { findTask } from '../../src/store/tasks/task-find.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { dump } from '../world/dump.ts';
import { taskStory } from '../world/task-story.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';
import { canonical, sha256, story } from './told-builds.ts';

const SECRET = 'jane.doe@example.com';
const erased = (n: number) =>
  ({
    type: 'task_erased',
    data: { by: 'me' },
    occurred_at: '2026-11-22T10:00:00.000Z',
    dedupe_key: `erased:${n}`,
  }) as const;

describe.each(DATABASES)('values that are kept beside the log on the %s Postgres', (kind) => {
  let world: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    world = await openTestDatabase(kind);
  });
  afterAll(() => world.close());

  const tell = async (id: string) => {
    for (const event of taskStory(id, { kwargs: { mail: SECRET } }, { sent_to: SECRET })) {
      await appendEvent(world.db, TASKS, id, event);
    }
  };
  const faults = () =>
    readSnapshot(world.db, async (snapshot) => {
      const found: string[] = [];
      for await (const { stream, seq, fault } of auditRecord(snapshot, new LogAudit()))
        found.push(`${stream} ${seq} ${fault}`);
      return found;
    });
  /** Without the stores of contents and messages, which have nothing here. */
  const find = (which: { text?: string; caller?: string; ids?: string[]; limit: number }) =>
    findErasable({ db: world.db, content: { findWithText: async () => [] } } as never, which);
  const asOwner = async (work: (owner: Db) => Promise<unknown>) => {
    const { db: owner, close } = openDatabase({ url: world.url, connections: 1 });
    try {
      await owner`RESET ROLE`;
      await work(owner);
    } finally {
      if (kind === 'embedded') await owner`SET ROLE hapax_runtime`;
      await close();
    }
  };

  it('are hashed with a salt in the event, and read with it as before', async () => {
    await tell('a');
    await tell('b');
    const raw = await world.db<Array<{ stream: string; data: Record<string, unknown> }>>`
      SELECT stream, data FROM events WHERE type = 'task_queued' ORDER BY position`;
    expect(JSON.stringify(raw)).not.toContain(SECRET);
    // Equal values have hashes that differ.
    expect(new Set(raw.map(({ data }) => data.sealed)).size).toBe(2);
    const [queued] = await listEvents(world.db, 'task:a');
    expect(queued!.data).toMatchObject({ kwargs: { mail: SECRET }, args: [] });
    // By another hand: the values give the hash that the event has, and the event gives its own.
    const { salt, digest, fields } = queued!.sealed!;
    expect(fields).toEqual(['fingerprint', 'kwargs']);
    const values = Object.fromEntries(fields.map((field) => [field, queued!.data[field]]));
    expect(sha256(canonical({ salt, values }))).toBe(digest);
    const { args, kwargs: _kwargs, fingerprint: _fingerprint, ...rest } = queued!.data;
    const { position: _position, hash, sealed: _sealed, ...event } = queued!;
    expect(sha256(canonical({ ...event, data: { ...rest, args, sealed: digest } }))).toBe(hash);
    expect(await faults()).toEqual([]);
  });

  it('leave with all hashes of them, which would confirm a guess', async () => {
    const fingerprint = 'f'.repeat(64);
    await tell('asked-twice');
    await claimRequestKey(world.db, 'key', { fingerprint, made: 'task:asked-twice' });
    const message = { fingerprint, redelivered: false, taskId: 'asked-twice' };
    expect(await takeUnnamedMessage(world.db, message, 60_000)).toBe('asked-twice');
    expect(await dump(world.db)).toContain(fingerprint);
    await eraseSubject(world.db, TASKS, 'asked-twice', erased(3));
    expect(await dump(world.db)).not.toContain(fingerprint);
    // Nobody else can use the key.
    const claim = await claimRequestKey(world.db, 'key', { fingerprint, made: 'task:another' });
    expect(claim).toEqual({ fingerprint: '', made: 'task:asked-twice', repeated: true });
  });

  it('leave with an erasure, after which the log is sound and gives the same state', async () => {
    await tell('c');
    await eraseSubject(world.db, TASKS, 'c', erased(3));
    const events = await listEvents(world.db, 'task:c');
    expect(JSON.stringify(events)).not.toContain(SECRET);
    expect(events.every((event) => event.hash === eventHash(event))).toBe(true);
    const task = await findTask(world.db, 'c');
    expect(task).toMatchObject({ status: 'SUCCESS', args: [], kwargs: {}, result: null, fingerprint: '' });
    expect(foldEvents(TASKS, events)).toEqual(task);
    expect(await faults()).toEqual([]);
    await asOwner(async (owner) => {
      const rebuilt = await rebuildProjection(owner, TASKS);
      expect(rebuilt).toMatchObject({ corrected: 0, removed: 0 });
    });
  });

  it.each(['build_completed', 'build_cancelled'] as const)('are all that a run printed, in %s', async (type) => {
    const id = type === 'build_completed' ? 1 : 2;
    const annotations = [{ level: 'failure', message: `no such user ${SECRET}`, path: 'x', line: 1 }];
    const steps = [{ number: 1, name: 'Build', conclusion: 'failure' }];
    const failed_jobs = [{ name: 'build', conclusion: 'failure', url: null, steps, annotations }];
    for (const event of story(id, 'failure')) {
      const end = { ...event, type, data: { ...event.data, detail: `about ${SECRET}`, failed_jobs } } as BuildEvent;
      await appendEvent(world.db, BUILDS, id, event.type === 'build_completed' ? end : event);
    }
    expect((await listEvents(world.db, `build:${id}`)).at(-1)!.data).toMatchObject({ failed_jobs });
    expect(await listFailedSteps(world.db, [id])).toEqual(
      new Map(type === 'build_completed' ? [[id, 'build: Build']] : []),
    );
    expect(await dump(world.db)).toContain(`no such user ${SECRET}`);
    await eraseSubject(world.db, BUILDS, id, { ...erased(6), type: 'build_erased' });
    expect(await dump(world.db)).not.toContain(`no such user ${SECRET}`);
    expect(foldEvents(BUILDS, await listEvents(world.db, `build:${id}`))).toEqual(await findBuild(world.db, id));
    expect(await faults()).toEqual([]);
  });

  it('are in the log where an earlier version recorded them: the chain is sound, and their erasure is refused', async () => {
    const story = taskStory('old', { kwargs: { mail: SECRET } }, { sent_to: SECRET });
    await tell('new');
    let previous_hash = GENESIS_HASH;
    for (const [index, now] of (await listEvents(world.db, 'task:new')).entries()) {
      const { position: _position, hash: _hash, sealed: _sealed, ...rest } = now;
      const event = { ...rest, stream: 'task:old', data: { ...story[index]!.data }, previous_hash };
      previous_hash = sha256(canonical(event));
      const row = { ...event, data: JSON.stringify(event.data), hash: previous_hash };
      await world.db`INSERT INTO events ${world.db(row)}`;
    }
    await asOwner((owner) => rebuildProjection(owner, TASKS));
    expect(await faults()).toEqual([]);
    const erasing = erase({ db: world.db, client: {} as never, content: {} as never }, 'task:old', 'me');
    await expect(erasing).rejects.toMatchObject({
      code: 'state_conflict',
      detail: expect.stringContaining('an earlier version of Hapax recorded task old with its data in the log'),
    });
  });

  it('are missed where nobody recorded an erasure, and noticed where they were replaced or are still there', async () => {
    for (const id of ['first', 'gone', 'other', 'kept']) await tell(id);
    await appendEvent(world.db, TASKS, 'kept', erased(3));
    await asOwner(async (owner) => {
      await owner`DELETE FROM event_values USING events WHERE event_values.position = events.position AND stream = 'task:gone'`;
      await owner`UPDATE event_values SET told = jsonb_set(told, '{result,sent_to}', '"x"') FROM events
        WHERE event_values.position = events.position AND stream = 'task:other' AND seq = 3`;
      await owner`UPDATE event_values SET told = jsonb_set(told, '{kwargs}', '{}') FROM events
        WHERE event_values.position = events.position AND stream = 'task:first' AND seq = 1`;
    });
    expect(await faults()).toEqual([
      'task:first 1 has other values beside it than those that were recorded',
      'task:gone 1 lacks values that were kept beside it, and no erasure was recorded',
      'task:kept 4 says that values were erased, but those of event 1 are still there',
      'task:other 3 has other values beside it than those that were recorded',
    ]);
  });

  it('are found behind newer tasks that were erased and still match by their ids', async () => {
    const tides = (id: string) => taskStory(id, { kwargs: { query: 'Of Tides' } });
    for (const event of tides('oldest')) await appendEvent(world.db, TASKS, 'oldest', event);
    // So far back that one statement does not look through all of them.
    await asOwner((owner) => owner.unsafe('ALTER TABLE events ALTER COLUMN position RESTART WITH 50000'));
    for (const id of ['of tides 1', 'of tides 2', 'of tides 3']) {
      await tell(id);
      await eraseSubject(world.db, TASKS, id, erased(3));
    }
    expect(await find({ text: 'of tides', limit: 1 })).toEqual({ found: ['task:oldest'], more: false });
  });

  it('are found last where a task has not ended, and do not ask for another run that only refuses them', async () => {
    const told = (id: string) => taskStory(id, { kwargs: { query: 'About Whales' }, caller: 'key:whales' });
    for (const event of told('ended')) await appendEvent(world.db, TASKS, 'ended', event);
    for (const id of ['open-1', 'open-2']) await appendEvent(world.db, TASKS, id, told(id)[0]!);
    for (const which of [{ text: 'about whales' }, { caller: 'key:whales' }]) {
      expect(await find({ ...which, limit: 1 })).toEqual({ found: ['task:ended'], more: true });
      expect((await find({ ...which, limit: 3 })).found.slice(1).toSorted()).toEqual(['task:open-1', 'task:open-2']);
    }
    await eraseSubject(world.db, TASKS, 'ended', erased(3));
    for (const which of [{ text: 'about whales' }, { caller: 'key:whales' }]) {
      expect(await find({ ...which, limit: 1 })).toEqual({ found: [expect.stringContaining('open')], more: false });
    }
    const ids = ['task:open-1', 'task:open-2'];
    expect(await find({ ids, limit: 1 })).toEqual({ found: ids, more: false });
  });

  it('cannot be erased of a task that has not ended, and nothing changes then', async () => {
    await appendEvent(world.db, TASKS, 'open', taskStory('open', { kwargs: { mail: SECRET } })[0]!);
    await expect(eraseSubject(world.db, TASKS, 'open', erased(1))).rejects.toThrow('has not ended');
    expect(await findTask(world.db, 'open')).toMatchObject({ kwargs: { mail: SECRET }, erased_at: null });
    const [row] = await world.db<[{ n: number }]>`
      SELECT count(*)::int AS n FROM event_values JOIN events USING (position) WHERE stream = 'task:open'`;
    expect(row.n).toBe(1);
  });
});
