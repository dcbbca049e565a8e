import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { REGISTER_WORKFLOW } from '../../src/contracts/tasks/registration-workflow.ts';
import { taskQueueOf } from '../../src/contracts/tasks/task-queues.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { eventually } from '../world/eventually.ts';
import { childrenOf, runPython, whyNot } from '../world/python-worker.ts';
import { describeWithPython } from '../world/python-world.ts';

/** What is on purpose otherwise than with Celery's own worker, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'retry without throw: hooks and signals':
    'a task that returns has ended, so the retry that it asked for as well is not made',
};

/** What is lost on purpose without a back end of the app's own. */
const NOT_IN_THE_RECORD: Readonly<Record<string, string>> = {
  store_errors_even_if_ignored: 'the message says that nobody waits for a result',
};

/** What Hapax alone tells a client of a result: also where no worker had the task, as its chain failed before. */
const IN_THE_RECORD = ['status', 'result', 'error', 'traceback'];

type Meta = Record<string, unknown>;
const known = (meta: Meta) => Object.fromEntries(IN_THE_RECORD.map((field) => [field, meta[field]]));
const isListOfMetas = (all: unknown): all is Meta[] => Array.isArray(all) && all[0]?.status !== undefined;

/** Compares what the cases came to, but for what is otherwise on purpose. @returns their names. */
function assertSame(expected: Record<string, unknown>, found: Record<string, unknown>): string[] {
  const cases = Object.keys(expected).filter((name) => !(name in DIFFERENCES));
  for (const name of cases) {
    const ours = found[name];
    // Of a task that no worker had, Hapax alone tells its client.
    const metas = (all: unknown) =>
      isListOfMetas(all) && isListOfMetas(ours)
        ? all.map((meta, at) => (ours[at]?.name === null ? known(meta) : meta))
        : all;
    expect.soft(metas(ours), name).toEqual(metas(expected[name]));
  }
  return cases;
}

describeWithPython('a worker in Python', (python) => {
  const { start, send, ended } = python;

  /** With a result back end of its own: workers write there what becomes of tasks that others have, if those are revoked. */
  const startCelery = (queue: string, { options = [] as string[], more = {} } = {}) =>
    start('celery', queue, { options, more: { BACKEND: python.bridge.redis.url.replace(/0$/, '1'), ...more } });

  test('does what a real Celery worker does, field by field', async () => {
    const [real, both] = await Promise.all([startCelery('real'), start('hapax-worker', 'ours')]);
    const [expected, found] = await Promise.all([real.compare(), both.compare()]);
    const cases = assertSame(expected, found);
    expect(cases.length).toBeGreaterThan(100);
    // What a pool does, it logs.
    const lines = (output: string) => output.match(/a line of [^\n]*/g)?.sort();
    expect(lines(both.worker.output())).toEqual(lines(real.worker.output()));
    for (const { worker } of [real, both]) expect(await worker.stop()).toBe(0);
    expect(await both.signals()).toEqual(await real.signals());

    // Not beside the other: a task type has one queue.
    const record = await start('hapax-worker', 'record', { more: { HAPAX_RESULTS: 'record' } });
    const recorded = await record.compare();
    for (const name of cases.filter((one) => one in recorded && !(one in NOT_IN_THE_RECORD))) {
      if (!isListOfMetas(expected[name])) continue;
      expect.soft(recorded[name].map(known), `${name}, by the record alone`).toEqual(expected[name].map(known));
    }
  }, 1_000_000);

  test('records the progress of a task, shows it, and stops a task that is revoked', async () => {
    await start('hapax-worker', 'progress');
    const id = await send('progress', 'progress', [join(python.directory, 'never')]);
    const progress = { state: 'PROGRESS', meta: { done: 1, total: 2 } };
    await eventually(async () => {
      const { json } = await python.bridge.world.call('GET', `/tasks/${id}`);
      expect(json).toMatchObject({ status: 'STARTED', progress });
    });
    const flower = await fetch(`${python.bridge.world.flowerUrl}/api/task/result/${id}`);
    expect(await flower.json()).toEqual({ 'task-id': id, state: 'PROGRESS' });
    await python.bridge.world.call('POST', `/tasks/${id}/cancel`, {});
    expect(await ended(id)).toMatchObject({ status: 'REVOKED', progress: null });
    const { json: events } = await python.bridge.world.call('GET', `/tasks/${id}/events`);
    const types = events.map(({ event_type }: { event_type: string }) => event_type);
    expect(types).toEqual(['task_queued', 'task_received', 'task_started', 'task_progressed', 'task_revoked']);
  });

  test('records the progress of tasks that end at once', async () => {
    await start('hapax-worker', 'at-once');
    const ids = await Promise.all(Array.from({ length: 20 }, () => send('progress_at_once', 'at-once')));
    for (const { task_id } of await Promise.all(ids.map(ended))) {
      const { json: events } = await python.bridge.world.call('GET', `/tasks/${task_id}/events`);
      const types = events.map(({ event_type }: { event_type: string }) => event_type);
      expect(types).toEqual(['task_queued', 'task_received', 'task_started', 'task_progressed', 'task_succeeded']);
    }
  });

  test('takes no task of a paused queue, and has what waits once the queue is resumed', async () => {
    await start('hapax-worker', 'held');
    await start('hapax-worker', 'free');
    const { client, call } = python.bridge.world;
    const { workflowService: service, options } = client;
    const taskQueue = { name: taskQueueOf('held', 'python') };
    const limit = async () => {
      const request = { namespace: options.namespace, taskQueue, taskQueueType: 2, reportConfig: true };
      return (await service.describeTaskQueue(request)).config?.queueRateLimit?.rateLimit?.requestsPerSecond;
    };
    // A limit that an operator had set with the `temporal` CLI.
    await service.updateTaskQueueConfig({
      ...{ namespace: options.namespace, taskQueue: taskQueue.name, taskQueueType: 2 },
      updateQueueRateLimit: { rateLimit: { requestsPerSecond: 50 }, reason: 'by hand' },
    });
    expect((await call('POST', '/queues/held/pause')).status).toBe(200);
    await eventually(async () => expect(await limit()).toBe(0));
    const held = await send('progress_at_once', 'held');
    // Tasks of another queue that were sent later have begun and ended meanwhile.
    for (let n = 0; n < 3; n++)
      expect(await ended(await send('progress_at_once', 'free'))).toMatchObject({ status: 'SUCCESS' });
    const { json: waiting } = await call('GET', `/tasks/${held}`);
    expect(waiting).toMatchObject({ status: 'PENDING', started_at: null });
    expect((await call('POST', '/queues/held/resume')).status).toBe(200);
    expect(await ended(held)).toMatchObject({ status: 'SUCCESS' });
    expect(await limit()).toBe(50);
  });

  test('retries a task more often than one run of its workflow makes attempts', async () => {
    await start('hapax-worker', 'often', { options: ['-P', 'solo'] });
    const id = await send('retries_often', 'often', [110]);
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', result: 110 });
    const { client } = python.bridge.world;
    await eventually(async () => {
      const states = [];
      const query = `WorkflowId = '${taskWorkflowId(id)}'`;
      for await (const { status } of client.workflow.list({ query })) states.push(status.name);
      expect(states.sort()).toEqual(['COMPLETED', 'CONTINUED_AS_NEW']);
    });
  });

  test('ends each task that comes to what JSON, Unicode or Temporal has no place for', async () => {
    await start('hapax-worker', 'odd');
    const kinds = ['text', 'large error', 'nan', 'large'];
    const ids = await Promise.all(kinds.map((kind) => send('odd', 'odd', [kind])));
    const [text, largeError, nan, large] = await Promise.all(ids.map(ended));
    const error = { type: 'ValueError', message: 'half of a pair \ufffd and \ufffd' };
    expect(text).toMatchObject({ status: 'FAILURE', error });
    expect(largeError).toMatchObject({ status: 'FAILURE', error: { message: 'x'.repeat(4_000) } });
    expect(nan).toMatchObject({ status: 'SUCCESS', result: [null, null, 1.5] });
    expect(large).toMatchObject({ status: 'FAILURE', error: { type: 'ResultTooLarge' } });
    // The text would have ended the worker that leads the task, and each that came after it.
    expect((await ended(await send('add', 'odd', [1, 2]))).result).toBe(3);
  });

  test('takes what an app without a result back end returns and says, whatever it is', async () => {
    await start('hapax-worker', 'disabled', { more: { BACKEND: 'disabled://' } });
    const calls: Array<[string, unknown[]]> = [
      ['add', [1, 2]],
      ['not_json', []],
      ['odd', ['large']],
      ['says_not_json', []],
    ];
    const ids = await Promise.all(calls.map(([name, args]) => send(name, 'disabled', args)));
    const all = (await Promise.all(ids.map(ended))).map(({ status, result }) => [status, result]);
    expect(all).toEqual([
      ['SUCCESS', 3],
      ['SUCCESS', null],
      ['SUCCESS', null],
      ['SUCCESS', null],
    ]);
  });

  test('sends a retry, a replacement and a task by its route to a queue of a topic exchange', async () => {
    await start('hapax-worker', 'topics', { app: 'topics' });
    const results: unknown[] = [];
    for (const [name, queue] of [['retries', 'topics'], ['replaces', 'topics'], ['routed']] as const) {
      const { json } = await python.bridge.world.call('POST', '/tasks', { name: `topics.${name}`, queue });
      const { status, result } = await ended(json.task_id);
      results.push([status, result]);
    }
    expect(results).toEqual([
      ['SUCCESS', 'topics'],
      ['SUCCESS', 'topics-routed'],
      ['SUCCESS', 'topics-routed'],
    ]);
  });

  test('ends a task that would become one that is not in Python', async () => {
    await start('hapax-worker', 'becoming');
    const { status, error } = await ended(await send('becomes_another', 'becoming'));
    expect([status, error.type]).toEqual(['FAILURE', 'NotImplementedError']);
    expect(error.message).toMatch(/cannot become (tasks\.)?semantic_search, which is no task in Python$/);
  });

  test('takes a chord by curl at Flower', async () => {
    await start('hapax-worker', 'flower');
    const task_id = randomUUID();
    const queue = 'flower';
    const add = (...args: number[]) => ({ task: 'features.add', args, kwargs: {}, options: { queue } });
    const body = { task: 'features.total', args: [], kwargs: {}, options: { task_id, queue } };
    const response = await fetch(`${python.bridge.world.flowerUrl}/api/task/async-apply/celery.chord`, {
      method: 'POST',
      body: JSON.stringify({ kwargs: { header: [add(1, 2), add(3, 4)], body }, queue }),
    });
    expect(response.status, await response.text()).toBe(200);
    await eventually(async () => {
      const { json } = await python.bridge.world.call('GET', `/tasks/${task_id}`);
      expect(json).toMatchObject({ status: 'SUCCESS', result: 10 });
    });
  });

  test.each<[how: string, queue: string, options: string[], more?: Record<string, string>, spec?: object]>([
    ['with a pool of threads', 'threads', ['-P', 'threads']],
    ['with a pool of one', 'solo', ['-P', 'solo']],
    ['with a pool of green threads', 'gevent', ['-P', 'gevent']],
    ['with two tasks per child', 'child', ['--max-tasks-per-child', '2'], {}, { tasks_per_child: 2 }],
    ['with children that are spawned', 'spawned', [], { START_METHOD: 'spawn' }],
  ])('does what a real Celery worker does %s', async (_, queue, options, more, spec) => {
    const [real, ours] = await Promise.all([
      startCelery(`${queue}-real`, { options, more }),
      start('hapax-worker', queue, { options, more }),
    ]);
    const [expected, found] = await Promise.all([real, ours].map((of) => of.compare({ short: true, ...spec })));
    expect(assertSame(expected, found).length).toBeGreaterThan(60);
    // What a worker that is killed has left is begun again by another one.
    const { pid } = ours.worker.process;
    const children = childrenOf(pid!);
    process.kill(pid!, 'SIGKILL');
    await eventually(() => expect(children.filter((child) => existsSync(`/proc/${child}`))).toEqual([]));
    await real.worker.stop();
  });

  test.each(['threads', 'solo', 'gevent'])(
    'ends each task that raises what ends a process, in a pool of %s',
    async (pool) => {
      const queue = `raises-${pool}`;
      await start('hapax-worker', queue, { options: ['-P', pool] });
      // More than it has places.
      const names = ['exits', 'exits', 'exits', 'exits', 'rejected_when_done', 'kills_green_thread'];
      const all = await Promise.all((await Promise.all(names.map((name) => send(name, queue)))).map(ended));
      const lost = ['FAILURE', 'WorkerLostError'];
      expect(all.map(({ status, error }) => [status, error?.type])).toEqual([
        ...[lost, lost, lost, lost],
        ...[['FAILURE', 'Reject'], lost],
      ]);
      const task_id = randomUUID();
      await ended(await send('revokes_here', queue, [task_id]));
      expect(await ended(await send('add', queue, [1, 2], { task_id }))).toMatchObject({ status: 'REVOKED' });
      expect((await ended(await send('add', queue, [1, 2]))).result).toBe(3);
    },
  );

  test('ends a beginning that is revoked, and tells all progress on each version of Python', async () => {
    expect(await runPython('records.py', {}, { BROKER: '', BACKEND: '', QUEUE: '', TRACE: '' })).toEqual({
      revoked: 'the beginning',
      told: [1, 2, 3],
    });
  });

  test('registers although a worker that had its name has begun to, as a container has when it starts again', async () => {
    const identity = '1@container';
    const { world } = python.bridge;
    // A queue of workflows that nobody works at.
    await world.client.workflow.start(REGISTER_WORKFLOW, { workflowId: `register-${identity}`, taskQueue: 'nobody' });
    const environment = { BROKER: '', BACKEND: '', QUEUE: '', TRACE: '' };
    const temporal = { TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: world.namespace };
    const { TEMPORAL_CODEC_KEYS = '' } = python.bridge.environment;
    const registering = runPython('registers.py', { identity }, { ...environment, ...temporal, TEMPORAL_CODEC_KEYS });
    expect(await registering).toBe('registered');
  });

  test('refuses by name what cannot work', () => {
    expect(whyNot('pickled')).toBe(
      'hapax-worker: accept_content has no json: Hapax takes tasks as JSON only\n' +
        'hapax-worker: task_serializer is pickle: Hapax reads JSON only (pickle could run any code)\n',
    );
    for (const option of ['-D', '--detach', '-ED']) {
      expect(whyNot('pickled', option)).toBe(
        'hapax-worker: --detach: run it under a supervisor, such as systemd, or in a container\n',
      );
    }
  });

  test('starts again at SIGHUP', async () => {
    const { worker } = await start('hapax-worker', 'hangs-up');
    worker.process.kill('SIGHUP');
    await eventually(() => expect(worker.output().match(/ ready\./g)).toHaveLength(2), 60_000);
    expect((await ended(await send('add', 'hangs-up', [1, 2]))).result).toBe(3);
    expect(await worker.stop()).toBe(0);
  });
});
