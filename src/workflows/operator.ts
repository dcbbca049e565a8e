import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import type { Run } from '../contracts/github.ts';
import { adoptSignal, cancelSignal, retrySignal } from './messages.ts';

/** What a build that needs attention is told. */
export type Instruction = { adopt: Run } | 'retry' | 'cancel';

/** What an operator says to a build, by signals of ours or by cancelling its workflow. */
export interface Operator {
  /** Who wants the build to stop, once somebody does. */
  readonly cancelledBy: string | undefined;
  /** Says on behalf of another build that this one is to stop. */
  cancel(by: string): void;
  /** Forgets that it was to stop: it has ended, and goes on all the same. */
  forget(): void;
  /** Resolves with the next word; what was said before this call is forgotten, but for a cancellation. */
  instruction(): Promise<Instruction>;
  /** Waits the given milliseconds, but no longer than until the build is to stop. */
  pause(ms: number): Promise<void>;
}

/** Listens to the operator of this workflow. */
export function listenToOperator(): Operator {
  let told: Instruction | undefined;
  let cancelledBy: string | undefined;
  setHandler(adoptSignal, ({ run_id, run_url = '' }) => {
    told = { adopt: { run_id, run_url } };
  });
  setHandler(retrySignal, () => {
    told = 'retry';
  });
  setHandler(cancelSignal, ({ by = 'operator' } = {}) => {
    cancelledBy ??= by;
  });
  // `temporal workflow cancel` means the same; the build itself runs shielded from it, so that it ends in order.
  CancellationScope.current().cancelRequested.catch(() => {
    cancelledBy ??= 'temporal';
  });
  return {
    get cancelledBy() {
      return cancelledBy;
    },
    cancel(by) {
      cancelledBy ??= by;
    },
    forget() {
      cancelledBy = undefined;
    },
    async instruction() {
      told = undefined;
      await condition(() => told !== undefined || cancelledBy !== undefined);
      return told ?? 'cancel';
    },
    async pause(ms) {
      await condition(() => cancelledBy !== undefined, ms);
    },
  };
}
