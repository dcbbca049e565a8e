import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { hasCelery } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import {
  type AppEnvironment,
  childrenOf,
  type PythonWorker,
  pollerOf,
  runPython,
  startPythonWorker,
  whyNot,
} from '../world/python-worker.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

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

describeWith(
  { RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() },
  'a worker in Python',
  () => {
    let bridge: BridgeWorld;
    let directory: string;
    const workers: PythonWorker[] = [];

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'hapax-python-'));
      // Python decrypts what TypeScript has encrypted, and the other way round.
      const TEMPORAL_CODEC_KEYS = `test=${randomBytes(32).toString('base64')}`;
      bridge = await openBridgeWorld({}, { FLOWER_PORT: '0', TEMPORAL_CODEC_KEYS });
      await bridge.openBridge();
    });
    afterAll(async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await bridge?.close();
      await rm(directory, { recursive: true, force: true });
    });

    /** A worker with a queue of its own, and a directory for its tasks. */
    async function start(
      program: 'celery' | 'hapax-worker',
      queue: string,
      { options = [] as string[], more = {} } = {},
    ) {
      const own = await mkdtemp(join(directory, 'tasks-'));
      const environment: AppEnvironment = {
        ...{ BROKER: bridge.rabbit.url, BACKEND: bridge.redis.url, QUEUE: queue, TRACE: join(own, 'trace') },
        ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: bridge.world.namespace },
        TEMPORAL_CODEC_KEYS: bridge.environment.TEMPORAL_CODEC_KEYS!,
        ...more,
      };
      await writeFile(environment.TRACE, '');
      const again = () => startPythonWorker({ program, app: 'features', environment, options, directory: own });
      const worker = await again();
      workers.push(worker);
      if (program === 'hapax-worker') await registered(queue);
      return { worker, again, compare: () => runPython('compare.py', { directory: own }, environment) };
    }

    const registered = (queue: string) =>
      eventually(async () => {
        const { json } = await bridge.world.call('GET', '/queues');
        expect(JSON.stringify(json)).toContain(`"${queue}-routed"`);
      });

    async function send(name: string, queue: string, args: unknown[] = [], more: object = {}): Promise<string> {
      const { status, json } = await bridge.world.call('POST', '/tasks', {
        name: `features.${name}`,
        args,
        queue,
        ...more,
      });
      expect(json.task_id, `${status} ${JSON.stringify(json)}`).toBeTypeOf('string');
      return json.task_id;
    }

    const ended = (id: string) =>
      eventually(async () => {
        const { json } = await bridge.world.call('GET', `/tasks/${id}`);
        expect(json.completed_at, JSON.stringify(json)).toBeTypeOf('string');
        return json;
      });

    test('does what a real Celery worker does, field by field', async () => {
      const [real, both] = await Promise.all([
        // Workers write into their back end what becomes of tasks that others have, if those are revoked.
        start('celery', 'real', { more: { BACKEND: bridge.redis.url.replace(/0$/, '1') } }),
        start('hapax-worker', 'ours'),
      ]);
      const [expected, found] = await Promise.all([real.compare(), both.compare()]);
      const cases = Object.keys(expected).filter((name) => !(name in DIFFERENCES));
      expect(cases.length).toBeGreaterThan(100);
      for (const name of cases) {
        const metas = (all: unknown) =>
          isListOfMetas(all) ? all.map((meta, at) => (found[name][at].name === null ? known(meta) : meta)) : all;
        expect.soft(metas(found[name]), name).toEqual(metas(expected[name]));
      }
      // What a pool does, it logs.
      const lines = (output: string) => output.match(/a line of [^\n]*/g)?.sort();
      expect(lines(both.worker.output())).toEqual(lines(real.worker.output()));
      for (const { worker } of [real, both]) expect(await worker.stop()).toBe(0);

      // Not beside the other: a task type has one queue.
      const record = await start('hapax-worker', 'record', { more: { HAPAX_RESULTS: 'record' } });
      const recorded = await record.compare();
      for (const name of cases.filter((one) => one in recorded && !(one in NOT_IN_THE_RECORD))) {
        if (!isListOfMetas(expected[name])) continue;
        expect.soft(recorded[name].map(known), `${name}, by the record alone`).toEqual(expected[name].map(known));
      }
    });

    test('records the progress of a task, shows it, and stops a task that is revoked', async () => {
      await start('hapax-worker', 'progress');
      const id = await send('progress', 'progress', [join(directory, 'never')]);
      const progress = { state: 'PROGRESS', meta: { done: 1, total: 2 } };
      await eventually(async () => {
        const { json } = await bridge.world.call('GET', `/tasks/${id}`);
        expect(json).toMatchObject({ status: 'STARTED', progress });
      });
      const flower = await fetch(`${bridge.world.flowerUrl}/api/task/result/${id}`);
      expect(await flower.json()).toEqual({ 'task-id': id, state: 'PROGRESS' });
      await bridge.world.call('POST', `/tasks/${id}/cancel`, {});
      expect(await ended(id)).toMatchObject({ status: 'REVOKED', progress: null });
      const { json: events } = await bridge.world.call('GET', `/tasks/${id}/events`);
      const types = events.map(({ event_type }: { event_type: string }) => event_type);
      expect(types).toEqual(['task_queued', 'task_received', 'task_started', 'task_progressed', 'task_revoked']);
    });

    test('takes a chord by curl at Flower', async () => {
      await start('hapax-worker', 'flower');
      const task_id = randomUUID();
      const queue = 'flower';
      const add = (...args: number[]) => ({ task: 'features.add', args, kwargs: {}, options: { queue } });
      const body = { task: 'features.total', args: [], kwargs: {}, options: { task_id, queue } };
      const response = await fetch(`${bridge.world.flowerUrl}/api/task/async-apply/celery.chord`, {
        method: 'POST',
        body: JSON.stringify({ kwargs: { header: [add(1, 2), add(3, 4)], body }, queue }),
      });
      expect(response.status, await response.text()).toBe(200);
      await eventually(async () => {
        const { json } = await bridge.world.call('GET', `/tasks/${task_id}`);
        expect(json).toMatchObject({ status: 'SUCCESS', result: 10 });
      });
    });

    test.each(['threads', 'solo', 'gevent'])('works with a pool of %s', async (pool) => {
      await start('hapax-worker', pool, { options: ['-P', pool] });
      const cases = [
        await send('add', pool, [1, 2]),
        await send('retries', pool, [1]),
        await send('raises', pool, ['odd']),
      ];
      const [added, retried, raised] = await Promise.all(cases.map(ended));
      expect([added.result, retried.result, retried.retries]).toEqual([3, 1, 1]);
      expect(raised.error).toMatchObject({ type: 'Odd', module: 'features', args: ['odd', 2] });
    });

    test('loses nothing when children, pollers and workers are killed', async () => {
      const { worker, again } = await start('hapax-worker', 'killed');
      let alive = worker;
      const ids = await Promise.all(Array.from({ length: 30 }, () => send('survives', 'killed')));
      const begun = async () => {
        const { json } = await bridge.world.call('GET', `/tasks?queue=killed&status=STARTED`);
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
        workers.push(alive);
      }
      for (const task of await Promise.all(ids.map(ended))) {
        expect(task).toMatchObject({ status: 'SUCCESS', result: 1, retries: 1 });
        const { json: events } = await bridge.world.call('GET', `/tasks/${task.task_id}/events`);
        const count = (type: string) =>
          events.filter((event: { event_type: string }) => event.event_type === type).length;
        expect([count('task_queued'), count('task_retried'), count('task_succeeded')]).toEqual([1, 1, 1]);
        expect(count('task_started')).toBeGreaterThanOrEqual(2);
      }
    });

    test('refuses by name what cannot work', () => {
      expect(whyNot('pickled')).toBe(
        'hapax-worker: accept_content has no json: Hapax takes tasks as JSON only\n' +
          'hapax-worker: task_serializer is pickle: Hapax reads JSON only (pickle could run any code)\n',
      );
    });
  },
);
