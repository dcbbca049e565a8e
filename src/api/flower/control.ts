import type { Client } from '@temporalio/client';
import type { Context, Hono } from 'hono';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { listWorkerProcesses } from '../../commands/workers/list-pollers.ts';
import { orderWorker } from '../../commands/workers/order-worker.ts';
import { WORKFLOW_QUEUE } from '../../contracts/tasks/task-queues.ts';
import type { TaskPolicy } from '../../contracts/tasks/task-workflow.ts';
import type { WorkerControl } from '../../contracts/tasks/worker-control.ts';
import type { ApiEnvironment } from '../environment.ts';
import { needs } from './guard.ts';
import { argumentsOf, FlowerError, REST, readFloat, readInt, refused, respond } from './response.ts';

type Order = Exclude<keyof WorkerControl, 'inspect'>;

/** Flower's reason if a worker does not reply. */
const UNKNOWN_REASON = 'Unknown reason';

/** Adds the routes that control running workers. A worker forgets these orders when it stops. */
export function control(
  app: Hono<ApiEnvironment>,
  { client, taskPolicy, taskTypes }: { client: Client; taskPolicy: TaskPolicy; taskTypes: TaskTypes },
): void {
  app.post(`/api/task/rate-limit/:name${REST}`, needs('operate'), async (c) => {
    const given = await argumentsOf(c);
    const [worker, rate] = [required(given, 'workername'), required(given, 'ratelimit')];
    await known(worker);
    const reason = await refusal(worker, 'limitRate', { task: await taskOf(c), rate });
    if (reason !== null) throw refused(`Failed to set rate limit: '${reason}'`);
    return respond(c, {
      message: rate === '' ? 'rate limit disabled successfully' : 'new rate limit set successfully',
    });
  });

  app.post(`/api/task/timeout/:name${REST}`, needs('operate'), async (c) => {
    const given = await argumentsOf(c);
    const worker = required(given, 'workername');
    const [hard, soft] = ['hard', 'soft'].map((name) => milliseconds(readFloat(given(name)))) as [Ms, Ms];
    await known(worker);
    const task = await taskOf(c);
    const most = taskPolicy.hard_limit_ms;
    const reason =
      Math.max(hard ?? 0, soft ?? 0) > most
        ? `TASK_TIME_LIMIT sets the most there is: ${most / 1_000} s`
        : await refusal(worker, 'limitTime', { task, soft_ms: soft, hard_ms: hard });
    if (reason !== null) throw refused(`Failed to set timeouts: '${reason}'`);
    return respond(c, { message: 'time limits set successfully' });
  });

  app.post(`/api/worker/shutdown/:worker${REST}`, needs('operate'), async (c) => {
    const worker = await namedWorker(c);
    const outcome = await orderWorker(client, worker, 'shutdown', []);
    const reason = outcome.kind === 'replied' ? outcome.reply.refused : UNKNOWN_REASON;
    // A worker that is gone has nothing left to shut down.
    if (outcome.kind !== 'gone' && reason !== null) throw refused(`Failed to shut down '${worker}': ${reason}`);
    return respond(c, { message: 'Shutting down!' });
  });

  app.post(`/api/worker/pool/restart/:worker${REST}`, needs('operate'), async (c) => {
    throw refused(`Failed to restart the '${await namedWorker(c)}' pool: ValueError('Pool restarts not enabled')`);
  });

  for (const [verb, saying, sign] of [
    ['grow', 'Growing', 1],
    ['shrink', 'Shrinking', -1],
  ] as const) {
    app.post(`/api/worker/pool/${verb}/:worker${REST}`, needs('operate'), async (c) => {
      const n = readInt((await argumentsOf(c))('n')) ?? 1;
      const worker = await namedWorker(c);
      const reason = n < 1 ? 'n must be 1 or more' : await refusal(worker, 'resize', { by: sign * n });
      if (reason !== null) throw refused(`Failed to ${verb} '${worker}' worker's pool: ValueError("${reason}")`);
      return respond(c, { message: `${saying} '${worker}' worker's pool by ${n}` });
    });
  }

  app.post(`/api/worker/pool/autoscale/:worker${REST}`, needs('operate'), async (c) => {
    const given = await argumentsOf(c);
    for (const name of ['min', 'max']) readInt(required(given, name));
    throw refused(`Failed to autoscale '${await namedWorker(c)}' worker: ValueError('Autoscale not enabled')`);
  });

  for (const [path, on] of [
    ['add-consumer', true],
    ['cancel-consumer', false],
  ] as const) {
    app.post(`/api/worker/queue/${path}/:worker${REST}`, needs('operate'), async (c) => {
      const queue = required(await argumentsOf(c), 'queue');
      const worker = await namedWorker(c);
      const reason = await consume(worker, queue, on);
      const failed = on ? `add '${queue}' consumer to` : `cancel '${queue}' consumer from`;
      if (reason !== null) throw refused(`Failed to ${failed} '${worker}' worker: ${reason}`);
      return respond(c, { message: on ? `add consumer ${queue}` : `no longer consuming from ${queue}` });
    });
  }

  /** Adds or removes a consumer. @returns why the worker refuses; null if it does not. */
  async function consume(worker: string, name: string, on: boolean): Promise<string | null> {
    if (name === WORKFLOW_QUEUE) return 'WORKER_QUEUES says who works at workflows';
    const known = await taskTypes.queues();
    if (known.has(name)) return refusal(worker, 'consume', { queue: name, on });
    return on ? `the queues are ${[...known.keys()].join(', ')}` : null;
  }

  /** @throws {FlowerError} 404 */
  async function taskOf(c: Context<ApiEnvironment>): Promise<string> {
    const name = c.req.param('name') ?? '';
    const type = await taskTypes.find(name);
    if (!type) throw new FlowerError(404, `Unknown task '${name}'`);
    return type.name;
  }

  /** Sends an order to a worker. @returns why the worker refuses it; null if it does not. */
  async function refusal<Name extends Order>(
    worker: string,
    order: Name,
    ...args: Parameters<WorkerControl[Name]>
  ): Promise<string | null> {
    const outcome = await orderWorker(client, worker, order, args);
    return outcome.kind === 'replied' ? outcome.reply.refused : UNKNOWN_REASON;
  }

  /** @throws {FlowerError} 404 */
  async function namedWorker(c: Context<ApiEnvironment>): Promise<string> {
    const worker = c.req.param('worker') ?? '';
    await known(worker);
    return worker;
  }

  /** @throws {FlowerError} 404 */
  async function known(worker: string): Promise<void> {
    if ((await listWorkerProcesses(client)).some(({ identity }) => identity === worker)) return;
    throw new FlowerError(404, `Unknown worker '${worker}'`);
  }
}

type Ms = number | null;

/** Converts a limit to milliseconds. As in Celery, a missing limit and 0 mean none. @throws {FlowerError} 403 if it is negative. */
function milliseconds(seconds: number | undefined): Ms {
  if (seconds !== undefined && seconds < 0) throw refused("Failed to set timeouts: 'time limits are not negative'");
  return seconds ? seconds * 1_000 : null;
}

/** @throws {FlowerError} 400 */
function required(given: (name: string) => string | undefined, name: string): string {
  const value = given(name);
  if (value === undefined) throw new FlowerError(400, `Missing argument ${name}`);
  return value;
}
