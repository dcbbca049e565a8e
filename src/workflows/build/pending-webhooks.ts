import { log, setHandler } from '@temporalio/workflow';
import type { SignalArguments } from '../../contracts/builds/build-workflow.ts';
import { runChangedSignal } from '../messages.ts';

type Webhook = SignalArguments['runChanged'];

/** Webhooks about changes of runs that nobody has looked into yet. */
export interface PendingWebhooks {
  add(webhook: Webhook): void;
  /** Says whether there are any about a run; with an attempt, about a later one. */
  has(runId: number, afterAttempt?: number): boolean;
  /** Takes the last delivery about a run; one look settles all of them. */
  take(runId: number): string | undefined;
}

/**
 * Listens to webhooks for as long as the workflow runs. A webhook that comes between two waits, while an event is recorded, stays for
 * the next wait.
 */
export function listenForWebhooks(): PendingWebhooks {
  const waiting = new Map<number, { delivery_id: string; attempt: number }>();
  const add = ({ run_id, run_attempt = Number.POSITIVE_INFINITY, delivery_id }: Webhook) => {
    // They come in any order.
    const attempt = Math.max(run_attempt, waiting.get(run_id)?.attempt ?? 0);
    waiting.set(run_id, { delivery_id, attempt });
  };
  // Somebody may type anything with Temporal's CLI.
  setHandler(runChangedSignal, (said: { [Name in keyof Webhook]?: unknown } | null | undefined) => {
    const { run_id, run_attempt, delivery_id } = said ?? {};
    if (typeof run_id !== 'number' || !Number.isSafeInteger(run_id) || typeof delivery_id !== 'string') {
      return log.warn('run_changed names no run; send {"run_id": <number>, "delivery_id": "<text>"}');
    }
    add({ run_id, delivery_id, ...(typeof run_attempt === 'number' ? { run_attempt } : {}) });
  });
  return {
    add,
    has: (runId, afterAttempt = 0) => (waiting.get(runId)?.attempt ?? 0) > afterAttempt,
    take(runId) {
      const last = waiting.get(runId);
      waiting.delete(runId);
      return last?.delivery_id;
    },
  };
}
