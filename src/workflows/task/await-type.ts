import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { taskTypes } from '../activities.ts';
import type { TaskOutcome } from '../ports/record.ts';
import type { RevocationListener } from './revocation.ts';

type Revoked = Extract<TaskOutcome, { kind: 'revoked' }>;

/**
 * Waits until a worker registers the type of the task, and takes over its runtime and policy.
 * @returns how the task ended meanwhile, if it did.
 */
export async function awaitType(input: TaskInput, revocation: RevocationListener): Promise<Revoked | undefined> {
  const { name, policy, soft_limit_ms, hard_limit_ms, expires } = input;
  const waiting = new CancellationScope();
  const clock = new CancellationScope();
  let hasExpired = false;
  const expire = () => {
    hasExpired = true;
    waiting.cancel();
  };
  // A timeout of the activity would end it before its last pause, since the server starts nothing that cannot end in time.
  if (expires !== null) {
    const left = Math.max(0, Date.parse(expires) - Date.now());
    clock.run(() => sleep(left)).then(expire, () => {});
  }
  const stopListening = revocation.listen(() => waiting.cancel());
  try {
    const found = await waiting.run(() => taskTypes.awaitTaskType({ name, policy, soft_limit_ms, hard_limit_ms }));
    Object.assign(input, found);
    return undefined;
  } catch (error) {
    if (isCancellation(error) && revocation.revocation) return { kind: 'revoked', ...revocation.revocation };
    if (isCancellation(error) && hasExpired) return { kind: 'revoked', reason: 'expired', by: 'expires' };
    throw error;
  } finally {
    stopListening();
    clock.cancel();
  }
}
