import type { Client } from '@temporalio/client';
import type { Hono } from 'hono';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { isPolling, listWorkerProcesses } from '../../commands/workers/list-pollers.ts';
import { listServed, polledBy } from '../../commands/workers/list-workers.ts';
import { orderWorker } from '../../commands/workers/order-worker.ts';
import type { TaskType } from '../../contracts/tasks/task-type.ts';
import type { WorkerReport } from '../../contracts/tasks/worker-control.ts';
import { celeryNameOf } from '../../domain/celery/task-names.ts';
import type { Db } from '../../store/database.ts';
import { measureQueues } from '../../store/tasks/queue-measure.ts';
import type { ApiEnvironment } from '../environment.ts';
import type { ApiMeter } from '../meter.ts';
import { needs } from './guard.ts';
import { argumentsOf, FlowerError, readBool, respond } from './response.ts';

interface SeenWorker {
  queues: string[];
  lastSeenAt: Date;
}

/** Adds the routes that show workers and queues. */
export function workers(
  app: Hono<ApiEnvironment>,
  { client, db, meter, taskTypes }: { client: Client; db: Db; meter: ApiMeter; taskTypes: TaskTypes },
): void {
  // Only FLOWER_PORT serves it, because the API has its own metrics at this path.
  app.get('/metrics', needs('read'), async (c) => {
    const online = new Map((await listWorkerProcesses(client)).map((worker) => [worker.identity, isPolling(worker)]));
    return c.text(await meter.scrapeFlower(online), 200, { 'Content-Type': 'text/plain; charset=UTF-8' });
  });

  app.get('/api/workers', needs('read'), async (c) => {
    const given = await argumentsOf(c);
    const [refresh, status, name] = [readBool(given('refresh')), readBool(given('status')), given('workername')];
    const seen = await seenWorkers(client, taskTypes);
    if (name && !seen.has(name)) throw new FlowerError(404, `Unknown worker '${name}'`);
    const shown = [...seen].filter(([worker]) => !name || worker === name);
    if (status && !refresh) return respond(c, new Map(shown.map(([worker, it]) => [worker, isPolling(it)])));
    const types = await taskTypes.list();
    const described = shown.map(
      async ([worker, it]) => [worker, describe(worker, it, types, refresh && (await ask(worker)))] as const,
    );
    return respond(c, new Map(await Promise.all(described)));
  });

  app.get('/api/queues/length', needs('read'), async (c) => {
    const [measured, seen] = await Promise.all([measureQueues(db), seenWorkers(client, taskTypes)]);
    const queues = measured
      .filter(({ name }) => name !== 'builds')
      .map(({ name, depth, inFlight }) => ({
        arguments: {},
        auto_delete: false,
        consumers: [...seen.values()].filter(({ queues }) => queues.some((queue) => queue === name)).length,
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
    return respond(c, { active_queues: queues });
  });

  /** Asks a worker for its report. Returns undefined if it does not reply. */
  async function ask(worker: string): Promise<WorkerReport | undefined> {
    const outcome = await orderWorker(client, worker, 'inspect', []);
    return outcome.kind === 'replied' ? outcome.reply : undefined;
  }
}

/** Returns the workers that Temporal saw in the last minutes, by name, with the queues that they polled lately. */
async function seenWorkers(client: Client, taskTypes: TaskTypes): Promise<Map<string, SeenWorker>> {
  const [present, served] = await Promise.all([listWorkerProcesses(client), listServed(client, taskTypes, 'tasks')]);
  return new Map(
    present.map(({ identity, lastSeenAt }) => [identity, { lastSeenAt, queues: polledBy(identity, served) }]),
  );
}

/** Describes a worker as Flower does: by its own report if there is one, otherwise by the queues that it polled. */
function describe(
  worker: string,
  { queues, lastSeenAt }: SeenWorker,
  types: readonly TaskType[],
  report: WorkerReport | undefined | false,
) {
  const serves = report ? report.queues.map(({ name }) => name) : queues;
  // Each of Hapax's workers knows all of Hapax's own tasks.
  const knows = types.filter(({ runtime, queue }) => runtime === 'built-in' || serves.includes(queue));
  const registered = (report ? report.registered : undefined) ?? knows.map(({ name }) => name);
  return {
    active_queues: serves.map((name) => ({
      name,
      exchange: { name, type: 'direct', durable: true, auto_delete: false },
      routing_key: name,
      durable: true,
      exclusive: false,
      auto_delete: false,
    })),
    timestamp: (report ? Date.now() : lastSeenAt.getTime()) / 1_000,
    stats: {
      pid: report ? report.pid : Number.parseInt(worker, 10) || 0,
      ...(report ? { uptime: report.uptime_seconds } : {}),
      pool: {
        implementation: 'temporal',
        ...(report ? { 'max-concurrency': report.queues.reduce((sum, { size }) => sum + size, 0) } : {}),
      },
      prefetch_count: 0,
    },
    registered: registered
      .map((task) => {
        const rate = report ? report.rates[task] : undefined;
        return rate === undefined ? celeryNameOf(task) : `${celeryNameOf(task)} [rate_limit=${rate}]`;
      })
      .sort(),
    conf: {
      task_serializer: 'json',
      accept_content: ['json'],
      result_serializer: 'json',
      timezone: 'UTC',
      enable_utc: true,
    },
  };
}
