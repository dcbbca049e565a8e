import { ActivityFailure, CancellationScope, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { awaitTaskType } from '../activities.ts';
import type { TaskOutcome } from '../ports/record.ts';
import type { RevocationListener } from './revocation.ts';

type Revoked = Extract<TaskOutcome, { kind: 'revoked' }>;

/**
 * Waits until a worker registers the type of the task, and takes over what the type says. @returns how the task ended meanwhile,
 * if it did.
 */
export async function awaitType(input: TaskInput, revocation: RevocationListener): Promise<Revoked | undefined> {
  const { name, policy, soft_limit_ms, hard_limit_ms, expires } = input;
  const expired: Revoked = { kind: 'revoked', reason: 'expired', by: 'expires' };
  const within = expires === null ? undefined : Date.parse(expires) - Date.now();
  if (within !== undefined && within <= 0) return expired;
  const scope = new CancellationScope();
  const stopListening = revocation.listen(() => scope.cancel());
  try {
    Object.assign(input, await scope.run(() => awaitTaskType(within)({ name, policy, soft_limit_ms, hard_limit_ms })));
    return undefined;
  } catch (error) {
    if (isCancellation(error) && revocation.revocation) return { kind: 'revoked', ...revocation.revocation };
    if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure) return expired;
    throw error;
  } finally {
    stopListening();
  }
}
