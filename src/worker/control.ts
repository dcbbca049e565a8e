import type { TaskRules } from '../activities/tasks.ts';
import type { Obeyed, TimeLimits, WorkerControl } from '../contracts/tasks/worker-control.ts';
import { type Pace, paceOf, readRate, takeTurn } from '../domain/tasks/rate.ts';
import type { Slots } from './slots.ts';

/** How a process of workers is controlled, and the limits that its workers obey. */
export interface Control {
  activities: WorkerControl;
  rulesOf(queue: string): TaskRules;
}

/** The most that WORKER_QUEUES can ask for. */
const MAX_SIZE = 999;

/** A poll that was open when its queue was closed may still bring a task. It goes to another worker after this pause. */
const ELSEWHERE_MS = 10;

const OBEYED: Obeyed = { refused: null };

/**
 * Creates the control of a process.
 * @param slots of each queue that the process serves or could serve.
 * @param open makes it serve one more queue.
 * @param shutdown ends the process; undefined if it is more than a worker, and so refuses.
 */
export function createControl(
  slots: ReadonlyMap<string, Slots>,
  open: (queue: string, isOpen: boolean) => Promise<void>,
  shutdown: (() => void) | undefined,
): Control {
  const paces = new Map<string, { pace: Pace; rate: string }>();
  const limits = new Map<string, TimeLimits>();
  return {
    activities: {
      inspect: async () => ({
        pid: process.pid,
        uptime_seconds: Math.floor(process.uptime()),
        queues: [...slots]
          .filter(([, { isOpen, isPaused }]) => isOpen && !isPaused)
          .map(([name, { size }]) => ({ name, size })),
        rates: Object.fromEntries([...paces].map(([task, { rate }]) => [task, rate])),
      }),
      async consume({ queue, on }) {
        const known = slots.get(queue);
        if (known) known.change({ isOpen: on });
        else if (on) await open(queue, true);
        return OBEYED;
      },
      async resize({ by }) {
        const sizes = [...slots.values()].map(({ size }) => size + by);
        if (sizes.some((size) => size < 1)) return { refused: "Can't shrink pool: a queue would have no slot left" };
        if (sizes.some((size) => size > MAX_SIZE)) return { refused: `Can't grow pool: ${MAX_SIZE} is the most` };
        for (const queue of slots.values()) queue.change({ size: queue.size + by });
        return OBEYED;
      },
      async limitRate({ task, rate }) {
        const read = readRate(rate);
        if ('fault' in read) return { refused: `Invalid rate limit string: ${read.fault}` };
        if (read.intervalMs === 0) paces.delete(task);
        else paces.set(task, { pace: paceOf(read.intervalMs), rate });
        return OBEYED;
      },
      async limitTime({ task, soft_ms, hard_ms }) {
        limits.set(task, { soft_ms, hard_ms });
        return OBEYED;
      },
      async shutdown() {
        if (!shutdown) return { refused: 'it is part of `hapax up`; stop that' };
        shutdown();
        return OBEYED;
      },
    },
    rulesOf: (queue) => ({
      waitMs(task) {
        const { isOpen, isPaused } = slots.get(queue)!;
        if (!isOpen || isPaused) return ELSEWHERE_MS;
        const paced = paces.get(task);
        if (!paced) return 0;
        const { pace, waitMs } = takeTurn(paced.pace, performance.now());
        paced.pace = pace;
        return waitMs;
      },
      limitsOf: (task) => limits.get(task),
    }),
  };
}
