import { condition, setHandler } from '@temporalio/workflow';
import { oneCallMs } from '../activities.ts';
import { dispatchedSignal } from '../messages.ts';
import type { OpenBuild } from './open-build.ts';

/** Waits until the request that made the build is done with its direct dispatch or has died, or until somebody cancels the build. */
export async function awaitDirectDispatch({ input, operator }: OpenBuild): Promise<void> {
  let isDone = false;
  setHandler(dispatchedSignal, () => {
    isDone = true;
  });
  // As long as an activity may take for the same.
  const longestMs = oneCallMs(input.policy.request_timeout_ms);
  await condition(() => isDone || operator.cancelledBy !== undefined, longestMs);
}
