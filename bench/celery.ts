import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasCelery, PYTHON } from '../test/world/celery.ts';
import { hasRabbitMq, startRabbitMq } from '../test/world/rabbitmq-server.ts';
import { hasRedis, startRedis } from '../test/world/redis-server.ts';
import { steadyPort } from '../test/world/steady-port.ts';
import type { Round } from './closed-loop.ts';
import { stop } from './processes.ts';

const FOLDER = fileURLToPath(new URL('celery', import.meta.url));

export type CeleryLoad = { kind: 'burst'; count: number; connections: number } | { kind: 'sequence'; count: number };

/** Celery, running: RabbitMQ, Redis that writes each result through to the disk, a worker, and Flower. */
export interface Celery {
  ask(load: CeleryLoad): Promise<Round>;
  close(): Promise<void>;
}

/** Undefined where RabbitMQ, Redis or Python are not installed. */
export async function startCelery(): Promise<Celery | undefined> {
  if (!hasRabbitMq || !hasRedis || !hasCelery()) return undefined;
  const requirements = `${FOLDER}/requirements.txt`;
  execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', '-r', requirements], { stdio: 'ignore', timeout: 180_000 });
  const [rabbitMq, redis] = await Promise.all([startRabbitMq(), startRedis()]);
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, BROKER: rabbitMq.url, BACKEND: redis.url };
  const run = (args: string[], stdin: 'pipe' | 'ignore'): ChildProcess =>
    spawn(PYTHON, args, { cwd: FOLDER, env, stdio: [stdin, stdin === 'pipe' ? 'pipe' : 'ignore', 'ignore'] });
  const celery = (...args: string[]) => run(['-m', 'celery', '-A', 'noop', ...args], 'ignore');
  const worker = celery('worker', '--loglevel', 'ERROR');
  const flower = celery('flower', '--address=127.0.0.1', `--port=${await steadyPort()}`);
  const load = run(['load.py'], 'pipe');
  const children = [load, flower, worker];
  return {
    ask: asking(load),
    async close() {
      for (const child of children) await stop(child);
      await Promise.all([rabbitMq.close(), redis.close()]);
    },
  };
}

/** Asks a running `load.py`, one question after the other. */
export function asking(load: ChildProcess): (asked: CeleryLoad) => Promise<Round> {
  const answers = createInterface({ input: load.stdout! });
  return async (asked) => {
    const answer = once(answers, 'line');
    load.stdin?.write(`${JSON.stringify(asked)}\n`);
    return JSON.parse((await answer)[0]);
  };
}
