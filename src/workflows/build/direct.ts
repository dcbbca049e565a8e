import { condition, setHandler } from '@temporalio/workflow';
import { dispatchedSignal } from '../messages.ts';
import type { OpenBuild } from './open-build.ts';

/** Waits until the request that made the build is done with its direct dispatch, or has died. Somebody may cancel it meanwhile. */
export async function awaitDirectDispatch({ input, operator }: OpenBuild): Promise<void> {
  let isDone = false;
  setHandler(dispatchedSignal, () => {
    isDone = true;
  });
  // As long as an activity has for the same.
  const ms = 2 * input.policy.request_timeout_ms + 20_000;
  await condition(() => isDone || operator.cancelledBy !== undefined, ms);
}
