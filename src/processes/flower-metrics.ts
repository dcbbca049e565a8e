import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ApiMeter } from '../api/meter.ts';
import { celeryNameOf } from '../domain/celery/task-names.ts';
import type { Db } from '../store/database.ts';
import { SettledLog } from '../store/record/settled-log.ts';
import { countRunningByWorker } from '../store/tasks/task-count-running.ts';
import { listWorkEvents } from '../store/tasks/work-event-list.ts';

/** The buckets of prometheus_client, which Flower uses. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** How long a scrape waits for transactions that are appending. It leaves what they append to the next scrape. */
const PATIENCE_MS = 1_000;
/** How many positions of the log one statement looks through. */
const BATCH = 10_000;

/**
 * Creates Flower's series with its names and labels, so that its dashboards keep working. As in Flower, events count from
 * the first scrape of the process. Hapax prefetches nothing, so the two series about that are missing.
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

  const log = new SettledLog(db);
  let seen: number | undefined;
  /** Reads the log one scrape after the other: two at once would count the same events. */
  let looking = Promise.resolve();
  async function look(): Promise<void> {
    const settled = await log.settle(PATIENCE_MS);
    // The log is shorter than before where the database was set back.
    seen = Math.min(seen ?? log.visible, log.visible);
    while (seen < settled) {
      const until = Math.min(settled, seen + BATCH);
      const events = await listWorkEvents(db, seen, until);
      seen = until;
      for (const event of events) {
        const [task, worker] = [celeryNameOf(event.name), event.worker];
        happened.inc({ task, type: event.type.replace('_', '-'), worker });
        if (event.runtime !== null) runtime.observe({ task, worker }, event.runtime);
      }
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
