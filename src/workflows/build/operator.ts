import { CancellationScope, condition, log, setHandler } from '@temporalio/workflow';
import type { SignalArguments } from '../../contracts/builds/build-workflow.ts';
import { adoptSignal, cancelSignal, retrySignal } from '../messages.ts';

/** An instruction to a build that needs attention. */
export type Instruction = { adopt: { run_id: number } } | 'retry' | 'cancel';

/** The possible content of a signal. */
type Typed<Signal extends keyof SignalArguments> =
  | { [Name in keyof SignalArguments[Signal]]?: unknown }
  | null
  | undefined;

/** The instructions of an operator to a build, by our signals or by cancelling its workflow. */
export interface Operator {
  /** The name of whoever wants the build to stop, once somebody does. */
  readonly cancelledBy: string | undefined;
  /** Tells the build to stop, on behalf of somebody else, such as another build. */
  cancel(by: string): void;
  /** Forgets that it was to stop: it has ended, and now goes on anyway. */
  forget(): void;
  /** Resolves with the next instruction. Forgets earlier ones, except a cancellation. */
  instruction(): Promise<Instruction>;
  /** Waits the given milliseconds, or until the build is to stop. */
  pause(ms: number): Promise<void>;
}

/** Listens to the operator of this workflow. Somebody may type anything with Temporal's CLI. */
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
