import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { hasCelery, PYTHON } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import { type PythonWorker, startPythonWorker } from '../world/python-worker.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = join(ROOT, 'test/celery/suite');
const VERSION = /^celery\[redis\]==(\S+)$/m.exec(readFileSync(join(ROOT, 'test/celery/requirements.txt'), 'utf8'))![1]!;
const SOURCES = join(ROOT, 'build', `celery-${VERSION}`);

/** Celery's sources, which have its integration tests; fetched the first time. */
function hasSources(): boolean {
  if (existsSync(join(SOURCES, 't/integration/tasks.py'))) return true;
  if (!hasCelery()) return false;
  const folder = join(ROOT, 'build');
  mkdirSync(folder, { recursive: true });
  const options = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', 'celery', '-d', folder];
  const fetched = spawnSync(PYTHON, [...options, `celery==${VERSION}`], { timeout: 250_000 });
  return fetched.status === 0 && spawnSync('tar', ['xzf', `celery-${VERSION}.tar.gz`], { cwd: folder }).status === 0;
}

describeWith(
  { RabbitMQ: hasRabbitMq, Redis: hasRedis, "Celery's sources": hasSources() },
  "Celery's own integration tests",
  () => {
    let bridge: BridgeWorld;
    let directory: string;
    let worker: PythonWorker | undefined;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'hapax-suite-'));
      bridge = await openBridgeWorld({});
      await bridge.openBridge();
    });
    afterAll(async () => {
      await worker?.stop();
      await bridge?.close();
      await rm(directory, { recursive: true, force: true });
    });

    /** `SUITE='t/integration/test_canvas.py -k chord'` chooses others than those that are listed. */
    test('pass on a hapax-worker', async () => {
      const environment = {
        ...{ TEST_BROKER: bridge.rabbit.url, TEST_BACKEND: bridge.redis.url, PYTHONPATH: `${HERE}:${SOURCES}` },
        ...{ REDIS_HOST: '127.0.0.1', REDIS_PORT: new URL(bridge.redis.url).port },
        ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: bridge.world.namespace },
        ...{ BROKER: '', BACKEND: '', QUEUE: 'suite', TRACE: '' },
      };
      worker = await startPythonWorker({
        ...{ program: 'hapax-worker', app: 'worker', environment, queues: ['celery'], directory },
      });
      await eventually(async () => {
        const { json } = await bridge.world.call('GET', '/task-types');
        expect(JSON.stringify(json)).toContain('t.integration.tasks.xsum');
      });
      const selected = readFileSync(join(HERE, 'selected.txt'), 'utf8').split('\n').filter(Boolean);
      const plugins = ['-p', 'other_worker', '-p', 'celery.contrib.pytest'];
      const args = ['-m', 'pytest', ...plugins, '-q', '--tb=short', ...(process.env.SUITE?.split(' ') ?? selected)];
      const { stdout } = await promisify(execFile)(PYTHON, args, {
        cwd: SOURCES,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
        maxBuffer: 1 << 27,
      }).catch((error) => error);
      const passed = Number(/(\d+) passed/.exec(stdout)?.[1]);
      expect(stdout.trim().split('\n').at(-1), stdout.slice(-5_000)).not.toMatch(/failed|error/);
      expect(passed).toBeGreaterThanOrEqual(process.env.SUITE ? 1 : selected.length);
    });
  },
);
