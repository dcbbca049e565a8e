import { CancellationScope, condition, getExternalWorkflowHandle, setCurrentDetails } from '@temporalio/workflow';
import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import { lane } from '../activities.ts';
import { isFailure } from '../journal.ts';
import { type BuildStateView, cancelSignal } from '../messages.ts';
import type { Turn } from '../ports/lane.ts';
import type { Operator } from './operator.ts';
import type { BuildJournal } from './teller.ts';

/**
 * Waits for the turn of a build in its lane, and tells the record that it begins; or returns without, once it is to stop.
 * The record decides whose turn it is. Waiting costs no worker slot and no history.
 */
export async function takeTurn(
  { build_id, concurrency, request, policy }: BuildInput,
  dedupe_key: string,
  journal: BuildJournal,
  state: BuildStateView,
  operator: Operator,
): Promise<void> {
  state.phase = 'waiting_for_turn';
  setCurrentDetails(
    `Waits for its turn among the builds of ${request.repository} ${request.workflow} @ ${request.ref}`,
  );
  const cancels = concurrency === 'cancel_previous';
  const told: number[] = [];
  while (operator.cancelledBy === undefined) {
    let turn: Turn | undefined;
    try {
      const { expected } = journal;
      turn = await unlessCancelled(operator, () =>
        lane.awaitTurn({ build_id, dedupe_key, cancels, told, longest_pause_ms: policy.poll_interval_ms, expected }),
      );
    } catch (error) {
      if (!isFailure(error, 'RecordSetBack')) throw error;
      await journal.tellAgain();
      continue;
    }
    if (turn?.kind === 'begun') return journal.rememberStart(dedupe_key);
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

/** What an activity answers; undefined where the build is to stop before it does. */
async function unlessCancelled(operator: Operator, ask: () => Promise<Turn>): Promise<Turn | undefined> {
  const asking = new CancellationScope();
  let turn: Turn | undefined;
  let failure: unknown;
  void asking.run(ask).then(
    (answer) => (turn = answer),
    (error: unknown) => (failure = error),
  );
  await condition(() => turn !== undefined || failure !== undefined || operator.cancelledBy !== undefined);
  if (turn !== undefined) return turn;
  // Its end may be recorded already, by an earlier try of this task; then beginning it fails, which is right.
  if (operator.cancelledBy === undefined) throw failure;
  asking.cancel();
  return undefined;
}
