import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ApiMeter } from '../api/meter.ts';
import { celeryNameOf } from '../domain/celery/task-names.ts';
import type { Db } from '../store/database.ts';
import { countRunningByWorker } from '../store/tasks/task-count-running.ts';
import { lastPosition, listWorkEventsSince } from '../store/tasks/task-event-list-since.ts';

/** Those of prometheus_client, which Flower has. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Flower's series by its names and labels, so that its dashboards go on. As in Flower, events count from the process's first
 * scrape on. Nothing is prefetched here, so the two series on that are not there.
 */
export function createFlowerMetrics(db: Db): ApiMeter['scrapeFlower'] {
  const registry = new Registry();
  const registers = [registry];
  const happened = new Counter({
    name: 'flower_events_total',
    help: 'Number of events',
    labelNames: ['task', 'type', 'worker'],
    registers,
  });
  const runtime = new Histogram({
    name: 'flower_task_runtime_seconds',
    help: 'Task runtime',
    labelNames: ['task', 'worker'],
    buckets: BUCKETS_S,
    registers,
  });
  const online = new Gauge({
    name: 'flower_worker_online',
    help: 'Worker online status',
    labelNames: ['worker'],
    registers,
  });
  const running = new Gauge({
    name: 'flower_worker_number_of_currently_executing_tasks',
    help: 'Number of tasks currently executing at a worker',
    labelNames: ['worker'],
    registers,
  });

  let seen: number | undefined;
  /** One look at the log after the other, or two scrapes at once would count the same events. */
  let looking = Promise.resolve();
  async function look(): Promise<void> {
    seen ??= await lastPosition(db);
    const { events, position } = await listWorkEventsSince(db, seen);
    seen = position;
    for (const event of events) {
      const [task, worker] = [celeryNameOf(event.name), event.worker];
      happened.inc({ task, type: event.type.replace('_', '-'), worker });
      if (event.runtime !== null) runtime.observe({ task, worker }, event.runtime);
    }
  }

  return async (workers) => {
    looking = looking.catch(() => {}).then(look);
    const [runs] = await Promise.all([countRunningByWorker(db), looking]);
    online.reset();
    running.reset();
    for (const [worker, isOnline] of workers) {
      online.set({ worker }, isOnline ? 1 : 0);
      running.set({ worker }, runs.get(worker) ?? 0);
    }
    return registry.metrics();
  };
}
