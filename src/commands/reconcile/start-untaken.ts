import { randomUUID } from 'node:crypto';
import type { Recovery } from '../../contracts/builds/build-workflow.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import type { RecoverDependencies } from './reconcile.ts';
import { RECOVERABLE_BUILD } from './recover-build.ts';

/**
 * Starts the workflow of a build that was dispatched directly, if Temporal never took the start because it was away.
 * @throws {Refusal} if Temporal is still away.
 */
export async function startUntaken(deps: Omit<RecoverDependencies, 'epoch'>, id: number): Promise<void> {
  const found = await findStream(deps.db, BUILDS, id);
  if (!found?.events[0]?.data.direct || found.state.completed_at !== null) return;
  const detail = 'Temporal was away when it was triggered';
  const recovery: Recovery = { id: randomUUID(), at: new Date().toISOString(), detail };
  const { epoch = 1 } = deps.installation.epoch;
  const input = await RECOVERABLE_BUILD.inputInPlace({ ...deps, epoch }, found.state, found.events, recovery);
  if (!(await RECOVERABLE_BUILD.start(deps, input, 'REJECT_DUPLICATE'))) return;
  await appendEvent(deps.db, BUILDS, id, RECOVERABLE_BUILD.recoveredEvent(recovery));
}
