import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import type { Revocation } from '../../contracts/tasks/task-workflow.ts';
import { revokeSignal } from '../messages.ts';

/** Whether and by whom the task is revoked, with ways to wait for it. */
export interface RevocationListener {
  readonly revocation: Revocation | undefined;
  /** Waits the given milliseconds, or until the task is revoked. */
  pause(ms: number): Promise<void>;
  /** Calls back once the task is revoked, or at once if it is already. The returned function stops this. */
  listen(callback: () => void): () => void;
}

/** Listens to our signal, which somebody may type, and to `temporal workflow cancel`, which means the same. */
export function listenForRevocation(): RevocationListener {
  let heard: Revocation | undefined;
  const callbacks = new Set<() => void>();
  const revoke = (revocation: Revocation) => {
    if (heard) return;
    heard = revocation;
    for (const callback of callbacks) callback();
  };
  setHandler(revokeSignal, (said: { by?: unknown; reason?: unknown } | null | undefined) => {
    const { by, reason } = said ?? {};
    revoke({
      by: typeof by === 'string' ? by : 'operator',
      reason: reason === 'terminated' ? reason : 'revoked',
    });
  });
  CancellationScope.current().cancelRequested.catch(() => revoke({ by: 'temporal', reason: 'terminated' }));
  return {
    get revocation() {
      return heard;
    },
    async pause(ms) {
      if (ms > 0) await condition(() => heard !== undefined, ms);
    },
    listen(callback) {
      callbacks.add(callback);
      if (heard) callback();
      return () => callbacks.delete(callback);
    },
  };
}
