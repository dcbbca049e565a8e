import type { Client } from '@temporalio/client';
import type { Hono } from 'hono';
import { TASK_NAMES, TASK_QUEUE_NAMES, type TaskQueueName } from '../../contracts/task-queues.ts';
import { taskNameOf } from '../../domain/task-request.ts';
import type { Db } from '../../store/database.ts';
import { measureQueues } from '../../store/queue-measure.ts';
import { listPollers } from '../commands/list-pollers.ts';
import type { ApiEnvironment } from '../environment.ts';
import { answer, argumentsOf, FlowerError, readBool, readFloat, readInt, refused } from './answer.ts';
import { celeryNameOf } from './info.ts';

/** A worker that is idle polls again after a minute, so one that was not seen for longer is gone. */
const POLLS_WITHIN_MS = 90_000;

interface SeenWorker {
  queues: TaskQueueName[];
  lastSeenAt: Date;
}

/** The routes about workers and queues. Workers take no orders: how many there are and what they serve is configuration. */
export function workers(app: Hono<ApiEnvironment>, { client, db }: { client: Client; db: Db }): void {
  app.get('/api/workers', async (c) => {
    const given = await argumentsOf(c);
    const [refresh, status, name] = [readBool(given('refresh')), readBool(given('status')), given('workername')];
    const seen = await seenWorkers(client);
    if (name && !seen.has(name)) throw new FlowerError(404, `Unknown worker '${name}'`);
    const shown = [...seen].filter(([worker]) => !name || worker === name);
    if (status && !refresh) return answer(c, Object.fromEntries(shown.map(([worker, it]) => [worker, isOnline(it)])));
    return answer(c, Object.fromEntries(shown.map(([worker, it]) => [worker, describe(worker, it)])));
  });

  app.get('/api/queues/length', async (c) => {
    const [measured, seen] = await Promise.all([measureQueues(db), seenWorkers(client)]);
    const online = [...seen.values()].filter(isOnline);
    const queues = measured
      .filter(({ name }) => name !== 'builds')
      .map(({ name, depth, inFlight }) => ({
        arguments: {},
        auto_delete: false,
        consumers: online.filter(({ queues }) => queues.some((queue) => queue === name)).length,
        durable: true,
        exclusive: false,
        messages: depth + inFlight,
        messages_ready: depth,
        messages_unacknowledged: inFlight,
        name,
        node: 'hapax',
        policy: null,
        state: 'running',
        type: 'classic',
        vhost: '/',
      }));
    return answer(c, { active_queues: queues });
  });

  app.post('/api/task/rate-limit/:name{.+}', async (c) => {
    const given = await argumentsOf(c);
    const worker = required(given, 'workername');
    const limit = required(given, 'ratelimit');
    await known(worker, c.req.param('name'));
    if (limit !== '' && !/^\d+(\.\d+)?(\/[smh])?$/.test(limit)) {
      const reason = `ValueError("could not convert string to float: '${limit}'")`;
      throw refused(`Failed to set rate limit: 'Invalid rate limit string: ${reason}'`);
    }
    throw refused("Failed to set rate limit: 'the quota of YouTube limits rates here'");
  });

  app.post('/api/task/timeout/:name{.+}', async (c) => {
    const given = await argumentsOf(c);
    const worker = required(given, 'workername');
    for (const name of ['hard', 'soft']) readFloat(given(name));
    await known(worker, c.req.param('name'));
    throw refused("Failed to set timeouts: 'TASK_TIME_LIMIT and the options of a task set them here'");
  });

  app.post('/api/worker/shutdown/:worker{.+}', (c) =>
    refuse(c.req.param('worker'), (worker) => `Failed to shut down '${worker}': whoever started it stops it`),
  );
  app.post('/api/worker/pool/restart/:worker{.+}', (c) =>
    refuse(
      c.req.param('worker'),
      (worker) => `Failed to restart the '${worker}' pool: ValueError('Pool restarts not enabled')`,
    ),
  );
  for (const verb of ['grow', 'shrink'] as const) {
    app.post(`/api/worker/pool/${verb}/:worker{.+}`, async (c) => {
      readInt((await argumentsOf(c))('n'));
      return refuse(
        c.req.param('worker'),
        (worker) => `Failed to ${verb} '${worker}' worker's pool: WORKER_CONCURRENCY sets its size`,
      );
    });
  }
  app.post('/api/worker/pool/autoscale/:worker{.+}', async (c) => {
    const given = await argumentsOf(c);
    for (const name of ['min', 'max']) readInt(required(given, name));
    return refuse(
      c.req.param('worker'),
      (worker) => `Failed to autoscale '${worker}' worker: ValueError('Autoscale not enabled')`,
    );
  });
  for (const [path, verb] of [
    ['add-consumer', 'add'],
    ['cancel-consumer', 'cancel'],
  ] as const) {
    app.post(`/api/worker/queue/${path}/:worker{.+}`, async (c) => {
      const queue = required(await argumentsOf(c), 'queue');
      return refuse(
        c.req.param('worker'),
        (worker) => `Failed to ${verb} '${queue}' consumer from '${worker}' worker: WORKER_QUEUES sets what it serves`,
      );
    });
  }

  async function refuse(worker: string, text: (worker: string) => string): Promise<never> {
    await known(worker);
    throw refused(text(worker));
  }

  /** @throws {FlowerError} 404 */
  async function known(worker: string, task?: string): Promise<void> {
    if (!(await seenWorkers(client)).has(worker)) throw new FlowerError(404, `Unknown worker '${worker}'`);
    if (task !== undefined && !taskNameOf(task)) throw new FlowerError(404, `Unknown task '${task}'`);
  }
}

function required(given: (name: string) => string | undefined, name: string): string {
  const value = given(name);
  if (value === undefined) throw new FlowerError(400, `Missing argument ${name}`);
  return value;
}

/** The workers of tasks that Temporal saw within the last minutes, by their names. */
async function seenWorkers(client: Client): Promise<Map<string, SeenWorker>> {
  const workers = new Map<string, SeenWorker>();
  const found = await Promise.all(
    TASK_QUEUE_NAMES.map(async (queue) => ({ queue, pollers: await listPollers(client, queue) })),
  );
  for (const { queue, pollers } of found) {
    for (const { identity, lastSeenAt } of pollers) {
      const known = workers.get(identity);
      const latest = new Date(Math.max(lastSeenAt.getTime(), known?.lastSeenAt.getTime() ?? 0));
      workers.set(identity, { queues: [...(known?.queues ?? []), queue], lastSeenAt: latest });
    }
  }
  return workers;
}

function isOnline({ lastSeenAt }: SeenWorker): boolean {
  return Date.now() - lastSeenAt.getTime() < POLLS_WITHIN_MS;
}

function describe(worker: string, { queues, lastSeenAt }: SeenWorker) {
  return {
    active_queues: queues.map((name) => ({
      name,
      exchange: { name, type: 'direct', durable: true, auto_delete: false },
      routing_key: name,
      durable: true,
      exclusive: false,
      auto_delete: false,
    })),
    timestamp: lastSeenAt.getTime() / 1_000,
    stats: { pid: Number.parseInt(worker, 10) || 0, pool: { implementation: 'temporal' }, prefetch_count: 0 },
    registered: TASK_NAMES.map(celeryNameOf).sort(),
    conf: {
      task_serializer: 'json',
      accept_content: ['json'],
      result_serializer: 'json',
      timezone: 'UTC',
      enable_utc: true,
    },
  };
}
