/**
 * `npm run bench:python [-- --count N --worker "-P threads"]`: a task that does nothing, from a Celery client through RabbitMQ to its result
 * in Redis, by `celery worker` and by `hapax-worker` in turn: how long it takes, how many end in a second, and the processor time of each
 * process for one task. `--worker` are further arguments of both workers.
 */
import { execFileSync, spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasCelery, PYTHON } from '../test/world/celery.ts';
import { startRabbitMq } from '../test/world/rabbitmq-server.ts';
import { startRedis } from '../test/world/redis-server.ts';
import { steadyPort } from '../test/world/steady-port.ts';
import { asking } from './celery.ts';
import { cpuByName } from './cpu.ts';
import { stop, UP_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100' }, worker: { type: 'string', default: '' } },
});
const COUNT = Number(values.count);
const ROUNDS = 3;
const CONNECTIONS = 10;
const FOLDER = fileURLToPath(new URL('celery', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../workers/python', import.meta.url));

await runBenchmark('bench-python', main);

async function main({ directory, processes, atEnd }: Scratch): Promise<void> {
  if (!hasCelery()) throw new Error('there is no Python with Celery');
  execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--force-reinstall', PACKAGE]);
  const temporalPort = String(await steadyPort());
  const servers = await Promise.all([startRabbitMq(), startRedis(), startRabbitMq(), startRedis()]);
  atEnd(() => Promise.all(servers.map((server) => server.close())));
  const [rabbit, redis, realRabbit, realRedis] = servers;
  const up = processes.role('up', ['up'], {
    ...{ PORT: '0', TEMPORAL_UI_PORT: '0', TEMPORAL_PORT: temporalPort, HAPAX_HOME: join(directory, 'home') },
    ...{ AMQP_URL: rabbit.url, RESULT_REDIS_URL: redis.url },
  });
  await up.said(UP_URL);
  const more = values.worker.split(' ').filter(Boolean);
  const run = (command: string, args: string[], env: Record<string, string>, stdio: 'pipe' | 'ignore' = 'ignore') => {
    const child = spawn(join(dirname(PYTHON), command), args, {
      ...{ cwd: FOLDER, stdio: [stdio, stdio, 'ignore'] as const },
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`, ...env },
    });
    atEnd(() => stop(child));
    return child;
  };
  const ways = [
    ['celery worker', 'celery', ['-A', 'noop', 'worker', ...more], { BROKER: realRabbit.url, BACKEND: realRedis.url }],
    ['hapax-worker', 'hapax-worker', ['-A', 'noop', ...more], { BROKER: rabbit.url, BACKEND: redis.url }],
  ] as const;
  const loads = ways.map(([name, command, args, env]) => {
    run(command, [...args], env);
    return { name, ask: asking(run('python', ['load.py'], env, 'pipe')) };
  });
  for (const { ask } of loads) await ask({ kind: 'sequence', count: 5 });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, ask } of loads) {
      const before = cpuByName(process.pid);
      const sequence = await ask({ kind: 'sequence', count: COUNT / 2 });
      const burst = await ask({ kind: 'burst', count: COUNT, connections: CONNECTIONS });
      await delay(500); // what Hapax does after the result is there
      const cpu = [...cpuByName(process.pid)].map(
        ([of, ms]) => [of, (ms - (before.get(of) ?? 0)) / (COUNT * 1.5)] as const,
      );
      const costs = cpu.filter(([, ms]) => ms >= 0.05).map(([of, ms]) => `${of} ${ms.toFixed(1)}`);
      console.log(
        `${name}: p50 ${sequence.p50Ms.toFixed(1)} ms, p99 ${sequence.p99Ms.toFixed(1)} ms one after the other; ` +
          `${burst.perSecond.toFixed(1)}/s at once; load ${loadavg()[0]?.toFixed(1)}; ms of CPU a task: ${costs.join(', ')}`,
      );
    }
  }
}
