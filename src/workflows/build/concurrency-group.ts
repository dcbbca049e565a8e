import { CancellationScope, condition, getExternalWorkflowHandle, setCurrentDetails } from '@temporalio/workflow';
import { concurrencyGroup } from '../activities.ts';
import { isFailure } from '../journal.ts';
import { cancelSignal } from '../messages.ts';
import type { GroupDecision } from '../ports/concurrency-group.ts';
import type { OpenBuild } from './open-build.ts';
import type { Operator } from './operator.ts';

/**
 * Waits until a build may start in its concurrency group, and records its start. Returns without a start once the build is to stop.
 * The record decides which build is next. Waiting costs no worker slot and no history.
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
    let decision: GroupDecision | undefined;
    try {
      const { expected } = record;
      decision = await unlessCancelled(operator, () =>
        concurrencyGroup.awaitTurn({
          build_id,
          dedupe_key,
          cancels,
          told,
          longest_pause_ms: policy.poll_interval_ms,
          expected,
        }),
      );
    } catch (error) {
      if (!isFailure(error, 'RecordSetBack')) throw error;
      await record.recordAgain();
      continue;
    }
    if (decision?.kind === 'begun') return record.rememberStart(dedupe_key);
    if (decision?.kind === 'superseded') operator.cancel(`build ${decision.by}`);
    if (decision?.kind === 'cancel_first') {
      told.push(decision.build_id);
      // If its workflow is gone, an operator's cancel ends it (POST /builds/{id}/cancel).
      const cancel = { by: `build ${build_id}`, build_id: decision.build_id };
      const cancelled = getExternalWorkflowHandle(decision.workflow_id).signal(cancelSignal, cancel);
      await cancelled.catch(() => {});
    }
  }
}

/** Returns the result of an activity; undefined if the build is to stop first. */
async function unlessCancelled(
  operator: Operator,
  ask: () => Promise<GroupDecision>,
): Promise<GroupDecision | undefined> {
  const asking = new CancellationScope();
  let decision: GroupDecision | undefined;
  let failure: unknown;
  void asking.run(ask).then(
    (returned) => (decision = returned),
    (error: unknown) => (failure = error),
  );
  await condition(() => decision !== undefined || failure !== undefined || operator.cancelledBy !== undefined);
  if (decision !== undefined) return decision;
  // An earlier try of this task may have recorded its end. Then starting it fails, which is right.
  if (operator.cancelledBy === undefined) throw failure;
  asking.cancel();
  return undefined;
}
