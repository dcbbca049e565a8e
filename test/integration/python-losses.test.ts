import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { isAlive } from '../../src/laptop/processes.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { type AppEnvironment, childrenOf, pollerOf, runPython } from '../world/python-worker.ts';
import { describeWithPython } from '../world/python-world.ts';

describeWithPython('a worker in Python that stops, is lost, or begins again', (python) => {
  const { start, send, ended } = python;

  test('loses no task that it has not begun when it stops, although its pool has one place', async () => {
    const { worker, again } = await start('hapax-worker', 'stopped', { options: ['-P', 'solo'] });
    const until = join(python.directory, 'stopped');
    const running = await send('progress', 'stopped', [until]);
    await eventually(async () => {
      expect((await python.bridge.world.call('GET', `/tasks/${running}`)).json.status).toBe('STARTED');
    });
    const waiting = await Promise.all([1, 2, 3].map((x) => send('add', 'stopped', [x])));
    worker.process.kill('SIGTERM');
    const next = await again();
    python.workers.push(next);
    for (const task of await Promise.all(waiting.map(ended))) expect(task).toMatchObject({ status: 'SUCCESS' });
    await writeFile(until, '');
    expect(await ended(running)).toMatchObject({ status: 'SUCCESS', result: 'done' });
    await worker.exited;
    expect(worker.process.exitCode).toBe(0);
  });

  test('loses no task whose start is recorded but which has not begun when its worker stops', async () => {
    const { worker, again } = await start('hapax-worker', 'stops');
    let alive = worker;
    const ids = await Promise.all(Array.from({ length: 60 }, () => send('add', 'stops', [1])));
    for (let stops = 0; stops < 3; stops += 1) {
      await eventually(async () => {
        const { json } = await python.bridge.world.call('GET', '/tasks?queue=stops&status=STARTED');
        expect(json.tasks).not.toEqual([]);
      });
      expect(await alive.stop()).toBe(0);
      alive = await again();
      python.workers.push(alive);
    }
    for (const task of await Promise.all(ids.map(ended))) expect(task).toMatchObject({ status: 'SUCCESS' });
  });

  test('loses nothing when children, pollers and workers are killed', async () => {
    const { worker, again } = await start('hapax-worker', 'killed');
    let alive = worker;
    const ids = await Promise.all(Array.from({ length: 30 }, () => send('survives', 'killed')));
    const begun = async () => {
      const { json } = await python.bridge.world.call('GET', `/tasks?queue=killed&status=STARTED`);
      expect(json.tasks).not.toEqual([]);
    };
    for (const victim of ['child', 'worker', 'child', 'poller'] as const) {
      await eventually(begun);
      const pid = alive.process.pid!;
      const killed = victim === 'worker' ? pid : victim === 'poller' ? pollerOf(pid)! : childrenOf(pid)[0]!;
      process.kill(killed, 'SIGKILL');
      if (victim === 'child') continue;
      await alive.exited;
      alive = await again();
      python.workers.push(alive);
    }
    for (const task of await Promise.all(ids.map(ended))) {
      expect(task).toMatchObject({ status: 'SUCCESS', result: 1, retries: 1 });
      const { json: events } = await python.bridge.world.call('GET', `/tasks/${task.task_id}/events`);
      const count = (type: string) =>
        events.filter((event: { event_type: string }) => event.event_type === type).length;
      expect([count('task_queued'), count('task_retried'), count('task_succeeded')]).toEqual([1, 1, 1]);
      expect(count('task_started')).toBeGreaterThanOrEqual(2);
    }
  });

  test('believes the result back end where a worker was lost before it told how a task ended', async () => {
    const { worker, again } = await start('hapax-worker', 'kept');
    let alive = worker;
    const results: unknown[] = [];
    for (const name of ['kept', 'not_kept', 'kept_by_another']) {
      const id = await send(name, 'kept');
      await alive.exited;
      alive = await again();
      python.workers.push(alive);
      const { status, result, error } = await ended(id);
      results.push([status, result, error?.type]);
    }
    expect(results).toEqual([
      ['SUCCESS', 'kept', undefined],
      ['FAILURE', null, 'WorkerLostError'],
      ['FAILURE', null, 'ResultTooLarge'],
    ]);
  });

  test('calls the error links of a message again, with its headers, where the task is retried', async () => {
    const { traced } = await start('hapax-worker', 'linked');
    const id = randomUUID();
    const link = {
      task: 'features.on_error',
      args: [],
      kwargs: {},
      options: {},
      subtask_type: null,
      immutable: false,
    };
    const follows = { callbacks: null, errbacks: [link], chain: null, chord: null };
    // Nobody waits for its end. NUL is no text for the record.
    const headers = {
      lang: 'py',
      task: 'features.raises',
      id,
      root_id: id,
      parent_id: null,
      tenant: 'acme',
      nul: 'a\0b',
    };
    await python.bridge.publish('linked', [['value'], {}, follows], {
      ...{ contentType: 'application/json', contentEncoding: 'utf-8', correlationId: id, headers },
    });
    const called = async (times: number) =>
      eventually(async () => {
        const links = (await traced()).filter((line) => line.id === id && line.what === 'errback');
        expect(links).toEqual(
          Array(times).fill(expect.objectContaining({ error: "ValueError('boom')", tenant: 'acme' })),
        );
      });
    await called(1);
    await eventually(async () =>
      expect((await python.bridge.world.call('GET', `/tasks/${id}`)).json).toMatchObject({
        status: 'FAILURE',
        redrives: 0,
      }),
    );
    expect((await python.bridge.world.call('POST', `/tasks/${id}/retry`, {})).status).toBe(202);
    await called(2);
    expect(await ended(id)).toMatchObject({ status: 'FAILURE', redrives: 1 });
  });

  test('does not expire a task that has started, where the next worker comes late', async () => {
    const { worker, again } = await start('hapax-worker', 'late');
    const id = await send('survives', 'late', [], { expires: 10 });
    await eventually(async () =>
      expect((await python.bridge.world.call('GET', `/tasks/${id}`)).json.status).toBe('STARTED'),
    );
    await worker.stop('SIGKILL');
    await eventually(async () => {
      const { events } = await python.bridge.world.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory();
      const late = events?.filter(({ activityTaskTimedOutEventAttributes: timedOut }) => timedOut);
      expect(late).toHaveLength(1);
    });
    python.workers.push(await again());
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', result: 1 });
  });

  test('finds how a task ended that told no end', async () => {
    const { worker, again } = await start('hapax-worker', 'untold', { more: { DEDUPLICATE: 'yes' } });
    const late = await send('kept_late', 'untold');
    await worker.exited;
    python.workers.push(await again());
    const names = ['kept_by_child', 'has_own_backend', 'calls_retry'];
    const ids = [late, ...(await Promise.all(names.map((name) => send(name, 'untold'))))];
    const all = await Promise.all(ids.map(ended));
    expect(all.map(({ status, result, error }) => [status, result ?? error?.type])).toEqual([
      ['SUCCESS', 'kept late'],
      ['SUCCESS', 'kept by its child'],
      ['SUCCESS', 'in the record'],
      ['FAILURE', 'Retry'],
    ]);
  });

  test('does its work once where Temporal was away for longer than a heartbeat may be missing', async () => {
    const way = await startFreezingProxy(Number(inject('temporalAddress').split(':')[1]));
    onTestFinished(() => way.close());
    const { traced } = await start('hapax-worker', 'away', { more: { TEMPORAL_ADDRESS: `127.0.0.1:${way.port}` } });
    const [early, late] = [join(python.directory, 'early'), join(python.directory, 'late')];
    // Two that a lost worker would end or begin again, and one that ends while Temporal is away.
    const once = await send('progress', 'away', [late]);
    const again = await send('late_until', 'away', [late]);
    const meanwhile = await send('late_until', 'away', [early]);
    const ids = [once, again, meanwhile];
    const seen = async (what: string, id: string) =>
      (await traced()).filter((line) => line.id === id && line.what === what);
    await eventually(async () => {
      for (const id of ids) expect(await seen('signal prerun', id)).toHaveLength(1);
    });
    const pending = async (id: string) => {
      const { raw } = await python.bridge.world.client.workflow.getHandle(taskWorkflowId(id)).describe();
      return raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'runTask');
    };
    way.cut();
    await eventually(async () => {
      for (const id of ids) expect((await pending(id))?.attempt).toBeGreaterThan(1);
    });
    await writeFile(early, '');
    await eventually(async () => expect(await seen('signal postrun', meanwhile)).toHaveLength(1));
    way.mend();
    expect(await ended(meanwhile)).toMatchObject({ status: 'SUCCESS', result: 'done' });
    const STARTED = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED;
    for (const id of [once, again]) await eventually(async () => expect((await pending(id))?.state).toBe(STARTED));
    await writeFile(late, '');
    for (const id of ids) {
      expect(await ended(id)).toMatchObject({ status: 'SUCCESS', result: 'done' });
      expect(await seen('signal prerun', id)).toHaveLength(1);
    }
  });

  test('polls a queue again where Temporal refused a poll, though a task runs', async () => {
    expect(await runPython('refused.py', {}, {} as AppEnvironment)).toBe(2);
  });

  test('leaves no poller behind where a worker is killed while Temporal is away', async () => {
    const way = await startFreezingProxy(Number(inject('temporalAddress').split(':')[1]));
    onTestFinished(() => way.close());
    const { worker } = await start('hapax-worker', 'frozen', { more: { TEMPORAL_ADDRESS: `127.0.0.1:${way.port}` } });
    const poller = pollerOf(worker.process.pid!)!;
    way.cut();
    await worker.stop('SIGKILL');
    await eventually(() => expect(isAlive(poller)).toBe(false), 60_000);
  });
});
