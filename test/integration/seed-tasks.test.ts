import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { hasCelery } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import { type PythonWorker, runPython, startPythonWorker } from '../world/python-worker.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

const SEED = fileURLToPath(new URL('../celery/seed', import.meta.url));
const QUEUES = { ingest_youtube: 'youtube', process_content: 'content', semantic_search: 'search' };

interface Case {
  task: string;
  args: unknown[];
  kwargs?: Record<string, unknown>;
}

/** Every path through the tasks of the seed. Ids set apart what each door asks for; they are left out of what is compared. */
const cases = (callback: string): Case[] => [
  { task: 'ingest_youtube', args: ['https://youtube.com/watch?v=abc123'] },
  { task: 'ingest_youtube', args: ['https://youtube.com/watch?v=abc123'], kwargs: { priority: true } },
  { task: 'ingest_youtube', args: [`https://youtube.com/watch?busy=${randomUUID()}&v=abc`] },
  { task: 'ingest_youtube', args: ['https://youtube.com/watch?v=gone'] },
  { task: 'process_content', args: ['c-1', ['embed', 'summarize']] },
  { task: 'process_content', args: ['c-1', []] },
  { task: 'process_content', args: ['c-9', ['embed']] },
  { task: 'semantic_search', args: ['machine learning'], kwargs: { limit: 5 } },
  { task: 'ingest_youtube_with_callback', args: ['https://youtube.com/watch?v=abc123', `${callback}/ok`] },
  { task: 'ingest_youtube_with_callback', args: ['https://youtube.com/watch?v=gone', `${callback}/gone`] },
];

describeWith(
  { RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() },
  'the task file of the seed, unchanged',
  () => {
    let bridge: BridgeWorld;
    let directory: string;
    let receiver: Server;
    const received = new Map<string, unknown[]>();
    const workers: PythonWorker[] = [];

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'hapax-seed-'));
      receiver = createServer(async (request, response) => {
        const [, door] = request.url!.split('/');
        received.set(door!, [...(received.get(door!) ?? []), JSON.parse(await text(request))]);
        response.end();
      });
      receiver.listen(0, '127.0.0.1');
      await once(receiver, 'listening');
      bridge = await openBridgeWorld({}, { FLOWER_PORT: '0' });
      await bridge.openBridge();
    });
    afterAll(async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await bridge?.close();
      receiver?.close();
      await rm(directory, { recursive: true, force: true });
    });

    const callbackOf = (door: string) => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${door}`;

    function environmentOf(broker: string, backend: string) {
      return {
        ...{ CELERY_BROKER_URL: broker, CELERY_RESULT_BACKEND: backend, MARKS: directory, PYTHONPATH: SEED },
        ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: bridge.world.namespace },
        ...{ BROKER: broker, BACKEND: backend, QUEUE: 'seed', TRACE: '' },
      };
    }

    async function start(program: 'celery' | 'hapax-worker', environment: ReturnType<typeof environmentOf>) {
      const own = await mkdtemp(join(directory, `${program}-`));
      const queues = [...Object.values(QUEUES), 'celery'];
      workers.push(await startPythonWorker({ program, app: 'production', environment, queues, directory: own }));
      return (asked: unknown[]) => runPython('seed/ends.py', asked, environment);
    }

    const named = (asked: Case[]) => asked.map((one) => ({ ...one, task: `tasks.${one.task}` }));

    test('comes to the same by Celery, by curl at Flower and by a message of n8n as with a real Celery worker', async () => {
      const redis = (database: number) => bridge.redis.url.replace(/0$/, String(database));
      const [real, ours] = await Promise.all([
        start('celery', environmentOf(redis(2), redis(3))),
        start('hapax-worker', environmentOf(bridge.rabbit.url, redis(0))),
      ]);
      await eventually(async () => {
        const { json } = await bridge.world.call('GET', '/task-types');
        expect(JSON.stringify(json)).toContain('tasks.ingest_youtube_with_callback');
      });

      const byFlower = async ({ task, args, kwargs = {} }: Case) => {
        const body = JSON.stringify({ args, kwargs });
        const url = `${bridge.world.flowerUrl}/api/task/async-apply/${task}`;
        const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        return { id: ((await response.json()) as { 'task-id': string })['task-id'] };
      };
      const byMessage = async ({ task, args, kwargs }: Case) => {
        const id = randomUUID();
        const queue = QUEUES[task.slice('tasks.'.length) as keyof typeof QUEUES] ?? 'celery';
        await bridge.publish(queue, { id, task, args, ...(kwargs && { kwargs }) });
        return { id };
      };
      const asked = (door: string) => named(cases(callbackOf(door)));
      const [expected, ...found] = await Promise.all([
        real(asked('real')),
        ours(asked('celery')),
        Promise.all(asked('flower').map(byFlower)).then(ours),
        Promise.all(asked('n8n').map(byMessage)).then(ours),
      ]);
      expect(expected.map(({ status }: { status: string }) => status).sort()).toEqual([
        ...Array(3).fill('FAILURE'),
        ...Array(7).fill('SUCCESS'),
      ]);
      for (const [at, door] of ['celery', 'flower', 'n8n'].entries()) {
        expect.soft(found[at], door).toEqual(expected);
        expect.soft(received.get(door), door).toEqual(received.get('real'));
      }
      expect(received.get('real')).toHaveLength(1);
      for (const worker of workers) expect(await worker.stop()).toBe(0);
    });
  },
);
