import { CancellationScope, condition, log, setHandler } from '@temporalio/workflow';
import type { SignalArguments } from '../../contracts/builds/build-workflow.ts';
import { adoptSignal, cancelSignal, retrySignal } from '../messages.ts';

/** What a build that needs attention is told. */
export type Instruction = { adopt: { run_id: number } } | 'retry' | 'cancel';

/** What a signal may carry. */
type Typed<Signal extends keyof SignalArguments> =
  | { [Name in keyof SignalArguments[Signal]]?: unknown }
  | null
  | undefined;

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

/** Listens to the operator of this workflow. What somebody types with Temporal's CLI may be anything. */
export function listenToOperator(buildId: number): Operator {
  let told: Instruction | undefined;
  let cancelledBy: string | undefined;
  setHandler(adoptSignal, (said: Typed<'adopt'>) => {
    const { run_id } = said ?? {};
    if (typeof run_id !== 'number' || !Number.isSafeInteger(run_id) || run_id < 1) {
      return log.warn('adopt names no run; send {"run_id": <number>}');
    }
    told = { adopt: { run_id } };
  });
  setHandler(retrySignal, () => {
    told = 'retry';
  });
  setHandler(cancelSignal, (said: Typed<'cancel'>) => {
    const { by, build_id = buildId } = said ?? {};
    if (build_id !== buildId) return;
    cancelledBy ??= typeof by === 'string' ? by : 'operator';
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
