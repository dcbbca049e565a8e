import type { Client } from '@temporalio/client';
import type { Hono } from 'hono';
import { isPolling, listPollers, listWorkerProcesses } from '../../commands/workers/list-pollers.ts';
import { orderWorker } from '../../commands/workers/order-worker.ts';
import { TASK_NAMES, TASK_QUEUE_NAMES, type TaskQueueName } from '../../contracts/tasks/task-queues.ts';
import type { WorkerReport } from '../../contracts/tasks/worker-control.ts';
import type { Db } from '../../store/database.ts';
import { measureQueues } from '../../store/tasks/queue-measure.ts';
import type { ApiEnvironment } from '../environment.ts';
import type { ApiMeter } from '../meter.ts';
import { celeryNameOf } from './info.ts';
import { argumentsOf, FlowerError, readBool, respond } from './response.ts';

interface SeenWorker {
  queues: TaskQueueName[];
  lastSeenAt: Date;
}

/** The routes that show workers and queues. */
export function workers(
  app: Hono<ApiEnvironment>,
  { client, db, meter }: { client: Client; db: Db; meter: ApiMeter },
): void {
  // Open to all, as in Flower; only where it is alone, since the API has metrics of its own there.
  app.get('/metrics', async (c) => {
    const online = new Map((await listWorkerProcesses(client)).map((worker) => [worker.identity, isPolling(worker)]));
    return c.text(await meter.scrapeFlower(online), 200, { 'Content-Type': 'text/plain; charset=UTF-8' });
  });

  app.get('/api/workers', async (c) => {
    const given = await argumentsOf(c);
    const [refresh, status, name] = [readBool(given('refresh')), readBool(given('status')), given('workername')];
    const seen = await seenWorkers(client);
    if (name && !seen.has(name)) throw new FlowerError(404, `Unknown worker '${name}'`);
    const shown = [...seen].filter(([worker]) => !name || worker === name);
    if (status && !refresh) return respond(c, new Map(shown.map(([worker, it]) => [worker, isPolling(it)])));
    const described = shown.map(
      async ([worker, it]) => [worker, describe(worker, it, refresh && (await ask(worker)))] as const,
    );
    return respond(c, new Map(await Promise.all(described)));
  });

  app.get('/api/queues/length', async (c) => {
    const [measured, seen] = await Promise.all([measureQueues(db), seenWorkers(client)]);
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

  /** What a worker says of itself; undefined from one that says nothing. */
  async function ask(worker: string): Promise<WorkerReport | undefined> {
    const outcome = await orderWorker(client, worker, 'inspect', []);
    return outcome.kind === 'replied' ? outcome.reply : undefined;
  }
}

/** The workers that Temporal saw within the last minutes, by their names, and what they asked for lately. */
async function seenWorkers(client: Client): Promise<Map<string, SeenWorker>> {
  const [present, served] = await Promise.all([
    listWorkerProcesses(client),
    Promise.all(TASK_QUEUE_NAMES.map(async (queue) => ({ queue, pollers: await listPollers(client, queue) }))),
  ]);
  return new Map(
    present.map(({ identity, lastSeenAt }) => {
      const polls = (pollers: typeof present) =>
        pollers.some((poller) => poller.identity === identity && isPolling(poller));
      return [
        identity,
        { lastSeenAt, queues: served.filter(({ pollers }) => polls(pollers)).map(({ queue }) => queue) },
      ];
    }),
  );
}

/** A worker as Flower shows it: by what it says itself where it was asked, else by what it polled. */
function describe(worker: string, { queues, lastSeenAt }: SeenWorker, report: WorkerReport | undefined | false) {
  const serves = report ? report.queues.map(({ name }) => name) : queues;
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
    registered: TASK_NAMES.map((task) => {
      const rate = report ? report.rates[task] : undefined;
      return rate === undefined ? celeryNameOf(task) : `${celeryNameOf(task)} [rate_limit=${rate}]`;
    }).sort(),
    conf: {
      task_serializer: 'json',
      accept_content: ['json'],
      result_serializer: 'json',
      timezone: 'UTC',
      enable_utc: true,
    },
  };
}
