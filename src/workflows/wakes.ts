import { setHandler } from '@temporalio/workflow';
import { runChangedSignal } from './messages.ts';

/** Webhooks that told of a change of a run, and that nobody has looked into yet. */
export interface Wakes {
  has(runId: number): boolean;
  /** The last delivery about a run; one look answers all of them. */
  take(runId: number): string | undefined;
}

/**
 * Listens to webhooks for as long as the workflow runs: one that comes between two waits, while an event is told, is there
 * for the next.
 */
export function listenForWakes(): Wakes {
  const deliveries = new Map<number, string>();
  setHandler(runChangedSignal, ({ run_id, delivery_id }) => {
    deliveries.set(run_id, delivery_id);
  });
  return {
    has: (runId) => deliveries.has(runId),
    take(runId) {
      const delivery = deliveries.get(runId);
      deliveries.delete(runId);
      return delivery;
    },
  };
}
