import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from './bridge.ts';
import { hasCelery } from './celery.ts';
import { eventually } from './eventually.ts';
import { type AppEnvironment, type PythonWorker, runPython, startPythonWorker } from './python-worker.ts';
import { hasRabbitMq } from './rabbitmq-server.ts';
import { hasRedis } from './redis-server.ts';
import { describeWith } from './required-programs.ts';

/** The product with a bridge, and workers of apps of test/celery. */
async function openPythonWorld() {
  const directory = await mkdtemp(join(tmpdir(), 'hapax-python-'));
  // Python decrypts what TypeScript has encrypted, and the other way round.
  const TEMPORAL_CODEC_KEYS = `test=${randomBytes(32).toString('base64')}`;
  const bridge: BridgeWorld = await openBridgeWorld({}, { FLOWER_PORT: '0', TEMPORAL_CODEC_KEYS });
  await bridge.openBridge();
  const workers: PythonWorker[] = [];

  const registered = (queue: string) =>
    eventually(async () => {
      const { json } = await bridge.world.call('GET', '/queues');
      expect(JSON.stringify(json)).toContain(`"${queue}-routed"`);
    });

  return {
    bridge,
    /** For files of the tests. */
    directory,
    /** Those that are stopped at the end. */
    workers,

    /** A worker with a queue of its own, and a directory for its tasks. */
    async start(
      program: 'celery' | 'hapax-worker',
      queue: string,
      { app = 'features', options = [] as string[], more = {} } = {},
    ) {
      const own = await mkdtemp(join(directory, 'tasks-'));
      const environment: AppEnvironment = {
        ...{ BROKER: bridge.rabbit.url, BACKEND: bridge.redis.url, QUEUE: queue, TRACE: join(own, 'trace') },
        ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: bridge.world.namespace },
        ...{ TEMPORAL_CODEC_KEYS, ...more },
      };
      await writeFile(environment.TRACE, '');
      const again = () => startPythonWorker({ program, app, environment, options, directory: own });
      const worker = await again();
      workers.push(worker);
      if (program === 'hapax-worker') await registered(queue);
      return {
        ...{ worker, again },
        /** What its hooks and signals saw so far. */
        traced: async () =>
          (await readFile(environment.TRACE, 'utf8'))
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        compare: (spec: object = {}) => runPython('compare.py', { directory: own, ...spec }, environment),
        /** The signals about workers and children that were sent. */
        async signals() {
          const lines = (await readFile(environment.TRACE, 'utf8')).trim().split('\n');
          const all = lines.map((line) => JSON.parse(line)).filter(({ id }) => id === null);
          return [...new Set(all.map(({ what }) => what))].sort();
        },
      };
    },

    /** Sends a task of the app `features`. @returns its id. */
    async send(name: string, queue: string, args: unknown[] = [], more: object = {}): Promise<string> {
      const { status, json } = await bridge.world.call('POST', '/tasks', {
        name: `features.${name}`,
        args,
        queue,
        ...more,
      });
      expect(json.task_id, `${status} ${JSON.stringify(json)}`).toBeTypeOf('string');
      return json.task_id;
    },

    /** What GET /tasks/{id} says once the task has ended. */
    ended: (id: string) =>
      eventually(async () => {
        const { json } = await bridge.world.call('GET', `/tasks/${id}`);
        expect(json.completed_at, JSON.stringify(json)).toBeTypeOf('string');
        return json;
      }),

    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await bridge.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
type PythonWorld = Awaited<ReturnType<typeof openPythonWorld>>;

/** The tests of a Python worker: they share one world, which is open while they run. */
export function describeWithPython(name: string, tests: (python: Omit<PythonWorld, 'close'>) => void): void {
  const programs = { RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() };
  describeWith(programs, name, () => {
    let open: PythonWorld;
    beforeAll(async () => {
      open = await openPythonWorld();
    });
    afterAll(() => open?.close());
    tests({
      get bridge() {
        return open.bridge;
      },
      get directory() {
        return open.directory;
      },
      get workers() {
        return open.workers;
      },
      start: (...given) => open.start(...given),
      send: (...given) => open.send(...given),
      ended: (id) => open.ended(id),
    });
  });
}
