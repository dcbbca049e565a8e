import type { BuildInput } from '../../contracts/builds/build-workflow.ts';
import { replays } from '../../domain/builds/build.ts';
import { buildQueuedEvent } from '../../domain/record/first-events.ts';
import { type Db, inTransaction } from '../database.ts';
import { saveCallbackTarget } from '../endings/callback-target-save.ts';
import { appendEvent } from '../record/event-append.ts';
import { streamOf } from '../record/stream-kind.ts';
import { findBuildByRequestKey, type RequestedBuild } from './build-find.ts';
import { BUILDS } from './build-stream.ts';

/**
 * Records a build's first event, unless an equal request already has a build. Equal requests wait for each other, so that
 * one of them is first even if Temporal is not asked. @returns the build of the equal request, if there is one.
 */
export function queueOnce(db: Db, input: BuildInput): Promise<RequestedBuild | undefined> {
  const { build_id, request_key, workflow_id, created_at, callback } = input;
  return inTransaction(db, async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`build ${request_key}`}, 0))`;
    const known = await findBuildByRequestKey(tx, request_key);
    if (known && replays(known, created_at)) return known;
    if (callback) await saveCallbackTarget(tx, streamOf(BUILDS, build_id), callback.url);
    await appendEvent(tx, BUILDS, build_id, buildQueuedEvent(input), { owner: { workflow_id, created_at } });
    return undefined;
  });
}
