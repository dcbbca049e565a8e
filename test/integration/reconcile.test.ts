import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, ListOptions } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { endAbandoned, type Step } from '../../src/commands/lifecycle/end-abandoned.ts';
import { reconcile as compare } from '../../src/commands/reconcile/reconcile.ts';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { ForeignStream, RecordSetBack } from '../../src/domain/record/stream-fault.ts';
import { openHome } from '../../src/laptop/home.ts';
import { commandDependencies } from '../../src/processes/command-dependencies.ts';
import { findBuild } from '../../src/store/builds/build-find.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { findEndings } from '../../src/store/endings/ending-list.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { forget } from '../world/forget-workflow.ts';
import { setStreamBack } from '../world/set-back.ts';
import { taskStory } from '../world/task-story.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';
import { reconcileWorld } from './reconcile-world.ts';
import { hapax, story, tell } from './told-builds.ts';

describe('hapax reconcile', () => {
  let world: World;
  let worked = 0;
  beforeAll(async () => {
    world = await openWorld(
      'server',
      {},
      {
        async process_content() {
          worked += 1;
        },
      },
    );
  });
  afterAll(() => world.close());

  const reconcile = (...args: string[]) => reconcileWorld(world, args);
  const compareNow = (client: Client = world.client) => {
    const ours = { GITHUB_REPO: 'acme/images', TEMPORAL_NAMESPACE: world.namespace, GITHUB_POLL_INTERVAL: '100ms' };
    const settings = readSettings(ours);
    const log = pino({ level: 'fatal' });
    return compare(commandDependencies({ settings, client, db: world.db, log }), { dryRun: false });
  };
  const workflowOf = async (query: string) => {
    for await (const { workflowId } of world.client.workflow.list({ query }))
      return world.client.workflow.getHandle(workflowId);
    throw new Error(`no workflow for ${query}`);
  };

  it('finds what an operator terminated by hand, and makes dead letters of it', async () => {
    expect((await reconcile()).lines.at(-1)).toBe('0 differ, 0 could not be repaired');
    const build = (await world.trigger({ ref: 'terminated', inputs: { simulate: 'stuck' } })).json.id as number;
    const eta = new Date(Date.now() + 3_600_000).toISOString();
    const task = (
      await world.call('POST', '/tasks', { name: 'semantic_search', args: ['moon'], task_id: 'waits', eta })
    ).json;
    await eventually(async () => expect((await world.build(build)).workflow_run_id).toEqual(expect.anything()));
    await (await eventually(() => workflowOf(`HapaxBuildId = '${build}'`))).terminate('wrong branch');
    await (await eventually(() => workflowOf(`HapaxTaskId = '${task.task_id}'`))).terminate();

    // Temporal's listing may be behind by a moment.
    const found = await eventually(async () => {
      const dry = await reconcile('--dry-run');
      expect(dry.lines.at(-1)).toBe('2 differ');
      return dry.lines;
    });
    expect(found).toContain(`build:${build} is open, but its workflow has ended`);
    expect((await world.build(build)).status).toBe('in_progress');

    const mended = await reconcile();
    expect(mended.lines).toEqual(
      expect.arrayContaining([
        `build:${build} is open, but its workflow has ended: dead lettered`,
        'task:waits is open, but its workflow has ended: dead lettered',
        '2 differ, 0 could not be repaired',
      ]),
    );
    const ended = await world.build(build);
    expect(ended).toMatchObject({ status: 'failure', conclusion: 'workflow_ended' });
    expect(ended.events.map(({ event_type }) => event_type).slice(-3)).toEqual([
      'build_recovered',
      'build_completed',
      'build_dead_lettered',
    ]);
    const letters = (await world.call('GET', '/dlq')).json.dead_letters.map(({ id }: { id: string }) => id);
    expect(letters).toEqual(expect.arrayContaining([`build:${build}`, 'task:waits']));
    expect((await reconcile()).lines.at(-1)).toBe('0 differ, 0 could not be repaired');
    const { events } = ended;
    expect(events.find(({ event_type }) => event_type === 'build_dead_lettered')?.event_data?.reason).toContain(
      'wrong branch',
    );
    await eventually(async () => {
      expect((await world.call('GET', '/health')).json.reconciliation).toMatchObject({ unresolved: 0 });
    });

    // A redrive takes the success that the run had meanwhile, and asks GitHub for nothing.
    const runId = ended.workflow_run_id!;
    await world.github.force(runId, 'completed', 'success');
    expect((await world.call('POST', `/dlq/build:${build}/redrive`)).status).toBe(202);
    await eventually(async () =>
      expect(await world.build(build)).toMatchObject({ status: 'success', workflow_run_id: runId }),
    );
    expect((await world.build(build)).events.map(({ event_type }) => event_type)).not.toContain('rerun_intended');
    expect((await world.github.run(runId)).run_attempt).toBe(1);
  });

  it('happens at the start of a process, also a moment after another comparison', async () => {
    const build = (await world.trigger({ ref: 'lost-since', inputs: { simulate: 'stuck' } })).json.id as number;
    const workflow = await eventually(() => workflowOf(`HapaxBuildId = '${build}'`));
    await reconcile();
    await workflow.terminate('lost');
    await startAnotherApi(world);
    await eventually(async () => expect((await world.build(build)).conclusion).toBe('workflow_ended'));
  });

  it('finds a lost retry that ended as the build had ended before', async () => {
    const id = (await world.trigger({ ref: 'failed-twice', inputs: { simulate: 'failure' } })).json.id as number;
    const failed = () =>
      eventually(async () => {
        const build = await world.build(id);
        expect(build.status).toBe('failure');
        return build;
      });
    const once = await failed();
    const [row] = await world.db`SELECT * FROM builds WHERE id = ${id}`;
    expect((await world.call('POST', `/builds/${id}/retry`)).status).toBe(202);
    await eventually(async () => expect((await world.build(id)).events.length).toBeGreaterThan(once.events.length));
    const twice = await failed();
    await setStreamBack(world.databaseUrl, { table: 'builds', id, events: once.events.length, row: row! });
    expect((await world.build(id)).events).toHaveLength(once.events.length);

    await eventually(async () => expect((await reconcile('--dry-run')).stdout).toContain(`build:${id} `));
    await reconcile();
    const types = (await world.build(id)).events.map(({ event_type }) => event_type);
    expect(types.slice(once.events.length)).toEqual(['build_retried', 'build_recovered', 'build_completed']);
    expect(await world.build(id)).toMatchObject({ status: twice.status, conclusion: twice.conclusion });
    expect((await reconcile()).lines.at(-1)).toBe('0 differ, 0 could not be repaired');
  });

  it('follows the run of a retry that both stores have lost', async () => {
    const id = (await world.trigger({ ref: 'retry-lost', inputs: { simulate: 'failure' } })).json.id as number;
    const once = await world.ended(id);
    const [row] = await world.db`SELECT * FROM builds WHERE id = ${id}`;
    expect((await world.call('POST', `/builds/${id}/retry`, { mode: 'redispatch' })).status).toBe(202);
    const run = await eventually(async () => {
      const { status, workflow_run_id } = await world.build(id);
      expect([status, workflow_run_id === once.workflow_run_id]).toEqual(['failure', false]);
      return workflow_run_id;
    });
    const { workflowService } = world.client;
    const executions = async () => {
      const all: Array<{ workflowId: string; runId: string }> = [];
      for await (const one of world.client.workflow.list({ query: `HapaxBuildId = '${id}'` })) all.push(one);
      return all;
    };
    await eventually(async () => expect(await executions()).toHaveLength(2));
    for (const { workflowId, runId } of await executions()) {
      const workflowExecution = { workflowId, runId };
      await eventually(() => world.client.workflow.getHandle(workflowId, runId).result());
      await workflowService.deleteWorkflowExecution({ namespace: world.namespace, workflowExecution });
    }
    await eventually(async () => expect(await executions()).toEqual([]));
    await setStreamBack(world.databaseUrl, { table: 'builds', id, events: once.events.length, row: row! });
    // As `hapax restore` does.
    await world.db`UPDATE installation SET epoch = epoch + 1`;

    await startAnotherApi(world, { settings: { GITHUB_API_URL: world.simulator.url, RECONCILE_WINDOW: '600ms' } });
    await eventually(async () =>
      expect(await world.build(id)).toMatchObject({ status: 'failure', workflow_run_id: run }),
    );
    const types = (await world.build(id)).events.map(({ event_type }) => event_type).slice(once.events.length);
    expect(types.slice(0, 2)).toEqual(['build_retried', 'build_recovered']);
    expect(types.filter((type) => type === 'workflow_triggered')).toHaveLength(1);
    expect(types).not.toContain('duplicate_run_cancelled');
  });

  it('looks again for what it could not repair, however long ago that ended', async () => {
    const id = (await world.trigger({ ref: 'forgotten', inputs: { simulate: 'failure' } })).json.id as number;
    const ended = await world.ended(id);
    await eventually(() => workflowOf(`HapaxBuildId = '${id}' AND ExecutionStatus = 'Completed'`));
    await setStreamBack(world.databaseUrl, { table: 'builds', id, events: 0, row: undefined });
    // As it stands two hours after a comparison to which the database was away in between.
    await world.db`UPDATE installation SET reconciled_at = clock_timestamp() + interval '2 hours', unresolved = 1`;
    await reconcile();
    expect(await world.build(id)).toMatchObject({ status: ended.status, conclusion: ended.conclusion });
  });

  it('takes a task that returned nothing for a success, and does not do its work again', async () => {
    const asked = { name: 'process_content', args: ['c', ['embed']] };
    const lost = (await world.call('POST', '/tasks', { ...asked, task_id: 'all-lost' })).json.task_id as string;
    const open = (await world.call('POST', '/tasks', { ...asked, task_id: 'end-lost' })).json.task_id as string;
    const rowOf = async (id: string) => (await world.db`SELECT * FROM tasks WHERE id = ${id}`)[0]!;
    for (const id of [lost, open]) {
      await eventually(() => workflowOf(`HapaxTaskId = '${id}' AND ExecutionStatus = 'Completed'`));
      expect(await rowOf(id)).toMatchObject({ status: 'SUCCESS', result: null });
    }
    const [third] = await world.db`SELECT hash FROM events WHERE stream = ${`task:${open}`} AND seq = 3`;
    const began = { status: 'STARTED', completed_at: null, last_seq: 3, last_hash: third!.hash };
    const row = { ...(await rowOf(open)), ...began };
    await setStreamBack(world.databaseUrl, { table: 'tasks', id: lost, events: 0, row: undefined });
    await setStreamBack(world.databaseUrl, { table: 'tasks', id: open, events: 3, row });
    expect((await reconcile()).lines).toEqual(
      expect.arrayContaining([
        `task:${lost} is ahead in Temporal: the record has lost events: restored`,
        `task:${open} is open, but its workflow has ended: ended`,
      ]),
    );
    for (const id of [lost, open]) expect(await rowOf(id)).toMatchObject({ status: 'SUCCESS', result: null });
    expect((await reconcile()).lines).toEqual(['0 differ, 0 could not be repaired']);
    expect(worked).toBe(2);
  });

  it('restores what ended between the listing and the signal to tell again', async () => {
    const asked = { name: 'process_content', args: ['c', ['embed']], task_id: 'ended-meanwhile' };
    await world.call('POST', '/tasks', asked);
    await eventually(() => workflowOf("HapaxTaskId = 'ended-meanwhile' AND ExecutionStatus = 'Completed'"));
    await setStreamBack(world.databaseUrl, { table: 'tasks', id: 'ended-meanwhile', events: 0, row: undefined });
    // Temporal's listing may be behind: it still shows the workflow as running.
    const { workflow } = world.client;
    const list = async function* ({ query = '' }: ListOptions) {
      const late = query.includes("ExecutionStatus = 'Running'");
      if (!late) return yield* workflow.list({ query });
      for await (const info of workflow.list({ query: "HapaxTaskId = 'ended-meanwhile'" })) {
        const startTime = new Date(info.startTime.getTime() - 60_000);
        yield { ...info, startTime, status: { code: 1, name: 'RUNNING' as const } };
      }
    };
    const behind = new Proxy(workflow, { get: (target, name) => (name === 'list' ? list : Reflect.get(target, name)) });
    const client = new Proxy(world.client, {
      get: (target, name) => (name === 'workflow' ? behind : Reflect.get(target, name)),
    });
    await compareNow(client);
    expect((await world.call('GET', '/tasks/ended-meanwhile')).json).toMatchObject({ status: 'SUCCESS' });
  });

  it('twice at once resumes what Temporal has lost, and ends none of it', async () => {
    const builds: number[] = [];
    const subjects: string[] = [];
    for (const n of [1, 2, 3, 4]) {
      const id = (await world.trigger({ ref: `lost-${n}`, inputs: { simulate: 'stuck' } })).json.id as number;
      builds.push(id);
      const eta = new Date(Date.now() + 3_600_000).toISOString();
      const task = { name: 'semantic_search', args: ['moon'], task_id: `lost-${n}`, eta };
      expect((await world.call('POST', '/tasks', task)).status).toBe(202);
      subjects.push(`build:${id}`, `task:lost-${n}`);
    }
    for (const id of builds)
      await eventually(async () => expect((await world.build(id)).run_attempt).toEqual(expect.anything()));
    const rows = await world.db<Array<{ workflow_id: string }>>`
      SELECT workflow_id FROM builds WHERE completed_at IS NULL UNION ALL SELECT workflow_id FROM tasks WHERE completed_at IS NULL`;
    expect(rows).toHaveLength(subjects.length);
    await Promise.all(rows.map(({ workflow_id }) => forget(world, workflow_id)));

    const found = (await Promise.all([compareNow(), compareNow(), compareNow()])).flat();
    expect(found.filter(({ outcome }) => outcome !== 'resumed')).toEqual([]);
    expect(found.map(({ subject }) => subject).sort()).toEqual(subjects.sort());
    for (const id of builds) {
      expect(await world.build(id)).toMatchObject({ completed_at: null });
      expect((await world.call('POST', `/builds/${id}/cancel`, {})).status).toBe(202);
    }
    for (const id of builds) expect(await world.ended(id)).toMatchObject({ status: 'cancelled' });
    const [open] = await world.db`SELECT count(*) AS open FROM tasks WHERE completed_at IS NULL`;
    expect(open).toMatchObject({ open: 4 });
  });

  it('gives out no id again that the record has forgotten', async () => {
    const before = (await world.trigger({ ref: 'before' })).json.id as number;
    await world.db`SELECT setval('build_ids', 1)`;
    const another = await startAnotherApi(world);
    const after = (await another.trigger({ ref: 'after' })).json.id as number;
    expect(before).toBeLessThan(1_000);
    expect(after).toBe(1_000_001);
  });

  it('says how it is used, and what it lacks', async () => {
    expect((await hapax(['reconcile', '--help'], {})).stdout).toContain('--dry-run');
    const lost = await hapax(['reconcile'], { HAPAX_HOME: '/nonexistent/home' });
    expect(lost).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hapax: the address of Temporal is unknown/),
    });
  });

  it('believes no address that a stopped home remembers: another Temporal may be there now', async () => {
    const home = await mkdtemp(join(tmpdir(), 'hapax-home-'));
    onTestFinished(() => rm(home, { recursive: true }));
    const environment = {
      HAPAX_HOME: home,
      DATABASE_URL: world.databaseUrl,
      TEMPORAL_NAMESPACE: world.namespace,
      LOG_LEVEL: 'fatal',
    };
    const held = openHome(home);
    held.announce({ temporalAddress: inject('temporalAddress') });
    const running = await hapax(['reconcile', '--dry-run'], environment);
    expect(running).toMatchObject({ code: 0, stderr: '' });
    // This process lives on, as one that has been given the number of an earlier Hapax.
    held.close();
    expect(await hapax(['reconcile', '--dry-run'], environment)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hapax: the address of Temporal is unknown/),
    });
  });
});

describe.each(DATABASES)('a stream (%s)', (kind) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterAll(() => database.close());

  const events = (id: number) => story(id);
  const owner = (id: number) => {
    const [first] = events(id);
    return {
      workflow_id: String((first!.data as { workflow_id: string }).workflow_id),
      created_at: first!.occurred_at,
    };
  };
  const append = (id: number, event: BuildEvent, expected: Parameters<typeof appendEvent>[4], follower?: BuildEvent) =>
    appendEvent(database.db, BUILDS, id, event, expected, follower);

  it('takes events of the workflow that it belongs to, and of no other', async () => {
    await tell(database.db, 1, 2);
    const [, , third] = events(1);
    const other = { ...owner(1), created_at: '2026-01-01T00:00:00.000Z' };
    await expect(append(1, third!, { owner: other })).rejects.toThrow(ForeignStream);
    // Not even a repeat: it would be taken for its own.
    await expect(append(1, events(1)[0]!, { owner: other })).rejects.toThrow(ForeignStream);
    expect(await append(1, third!, { owner: owner(1) })).toMatchObject({ repeated: false, event: { seq: 3 } });
  });

  it('says so where it has lost events that the appender knows of', async () => {
    await tell(database.db, 2, 2);
    const [, , third] = events(2);
    await expect(append(2, third!, { owner: owner(2), after_seq: 3 })).rejects.toThrow(RecordSetBack);
    await expect(append(3, events(3)[1]!, { owner: owner(3) })).rejects.toThrow(RecordSetBack);
    expect(await append(2, third!, { owner: owner(2), after_seq: 2 })).toMatchObject({ event: { seq: 3 } });
  });

  it('ends together with its dead letter, or not at all', async () => {
    await tell(database.db, 5, 5);
    const { db } = database;
    const { type, data } = events(5)[5]!;
    const dead = { key: 'dead', type: 'build_dead_lettered', data: { reason: 'no workflow', attempts: 1 } } as const;
    const impossible = { key: 'no', type: 'build_started', data: {} } as const;
    const ending = { key: 'end', type, data } as Step<BuildEvent>;
    const end = (after: Array<Step<BuildEvent>>) =>
      endAbandoned({ db, client: {} as never }, BUILDS, 5, 'step:', { ending, after });
    await expect(end([dead, impossible])).rejects.toThrow('has ended');
    expect(await findBuild(db, 5)).toMatchObject({ status: 'in_progress', dead_lettered: false });
    await end([dead]);
    expect(await findBuild(db, 5)).toMatchObject({ status: 'success', dead_lettered: true });
  });

  it('is found among more ids than a statement has parameters', async () => {
    const { db } = database;
    await tell(db, 6, 2);
    for (const event of taskStory('six')) await appendEvent(db, TASKS, 'six', event);
    const ids = Array.from({ length: 70_000 }, (_, n) => n + 6);
    expect(await findEndings(db, BUILDS, ids)).toEqual([expect.objectContaining({ id: 6, completed_at: null })]);
    expect(await findEndings(db, TASKS, ['six', ...ids.map(String)])).toEqual([
      expect.objectContaining({ id: 'six', status: 'SUCCESS' }),
    ]);
  });

  it('has behind the first event that was lost, and once, that events were', async () => {
    await tell(database.db, 4, 2);
    const said: BuildEvent = {
      ...{ type: 'build_recovered', occurred_at: '2026-11-21T11:00:00.000Z', dedupe_key: 'recovered' },
      data: { reason: 'record_set_back', by: 'workflow', detail: 'lost' },
    };
    const seqs: number[] = [];
    for (const event of events(4).slice(0, 4))
      seqs.push((await append(4, event, { owner: owner(4), after_seq: seqs.at(-1) }, said)).seq);
    const again = await append(4, events(4)[3]!, { owner: owner(4) }, said);
    expect(again).toMatchObject({ repeated: true, seq: 5 });
    expect(seqs).toEqual([1, 2, 4, 5]);
    const types = await database.db`SELECT type FROM events WHERE stream = 'build:4' ORDER BY seq`;
    expect(types.map(({ type }) => type)).toEqual([
      ...['build_queued', 'build_started', 'workflow_triggered', 'build_recovered', 'run_updated'],
    ]);
  });
});
