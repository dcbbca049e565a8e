import { CancellationScope, condition, getExternalWorkflowHandle, setCurrentDetails } from '@temporalio/workflow';
import { lane } from '../activities.ts';
import { isFailure } from '../journal.ts';
import { cancelSignal } from '../messages.ts';
import type { Turn } from '../ports/lane.ts';
import type { OpenBuild } from './open-build.ts';
import type { Operator } from './operator.ts';

/**
 * Waits until a build may start in its concurrency group, and records that it does; or returns without, once it is to stop.
 * The record decides whose turn it is. Waiting costs no worker slot and no history.
 */
export async function startInGroup({ input, state, operator, record, prefix }: OpenBuild): Promise<void> {
  const { build_id, concurrency, request, policy } = input;
  const dedupe_key = `${prefix}started`;
  state.phase = 'waiting_for_turn';
  setCurrentDetails(
    `Waits for its turn among the builds of ${request.repository} ${request.workflow} @ ${request.ref}`,
  );
  const cancels = concurrency === 'cancel_previous';
  const told: number[] = [];
  while (operator.cancelledBy === undefined) {
    let turn: Turn | undefined;
    try {
      const { expected } = record;
      turn = await unlessCancelled(operator, () =>
        lane.awaitTurn({ build_id, dedupe_key, cancels, told, longest_pause_ms: policy.poll_interval_ms, expected }),
      );
    } catch (error) {
      if (!isFailure(error, 'RecordSetBack')) throw error;
      await record.recordAgain();
      continue;
    }
    if (turn?.kind === 'begun') return record.rememberStart(dedupe_key);
    if (turn?.kind === 'superseded') operator.cancel(`build ${turn.by}`);
    if (turn?.kind === 'cancel_first') {
      told.push(turn.build_id);
      // Where its workflow is gone, an operator's cancel ends it (POST /builds/{id}/cancel).
      const cancel = { by: `build ${build_id}`, build_id: turn.build_id };
      const cancelled = getExternalWorkflowHandle(turn.workflow_id).signal(cancelSignal, cancel);
      await cancelled.catch(() => {});
    }
  }
}

/** What an activity returns; undefined where the build is to stop before it does. */
async function unlessCancelled(operator: Operator, ask: () => Promise<Turn>): Promise<Turn | undefined> {
  const asking = new CancellationScope();
  let turn: Turn | undefined;
  let failure: unknown;
  void asking.run(ask).then(
    (returned) => (turn = returned),
    (error: unknown) => (failure = error),
  );
  await condition(() => turn !== undefined || failure !== undefined || operator.cancelledBy !== undefined);
  if (turn !== undefined) return turn;
  // Its end may be recorded already, by an earlier try of this task; then beginning it fails, which is right.
  if (operator.cancelledBy === undefined) throw failure;
  asking.cancel();
  return undefined;
}
