import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { BUILD_WORKFLOW, type BuildInput, type BuildMemo } from '../../contracts/builds/build-workflow.ts';
import type { BuildEvent } from '../../contracts/builds/event.ts';
import type { Build } from '../../domain/builds/build.ts';
import { buildQueuedEvent } from '../../domain/record/first-events.ts';
import { findBuild } from '../../store/builds/build-find.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import type { build } from '../../workflows/index.ts';
import type { Kind } from '../lifecycle/kind.ts';
import { callbackMemo, STATUS, startWorkflow } from '../lifecycle/start-workflow.ts';

const BUILD_ID = defineSearchAttributeKey('HapaxBuildId', SearchAttributeType.KEYWORD);
const REPOSITORY = defineSearchAttributeKey('HapaxRepository', SearchAttributeType.KEYWORD);
const REF = defineSearchAttributeKey('HapaxRef', SearchAttributeType.KEYWORD);

/** How the commands handle builds. */
export const BUILD: Kind<Build, BuildEvent, BuildInput> = {
  stream: BUILDS,
  find: findBuild,
  idOf: ({ build_id }) => build_id!,
  firstEvent: buildQueuedEvent,
  firstStatus: 'queued',
  start(deps, input, reuse) {
    const { request, build_id, fingerprint, callback } = input;
    const memo: BuildMemo = { build_id, fingerprint, ...deps.installation.memo, ...callbackMemo(callback) };
    return startWorkflow<typeof build>(deps, BUILD_WORKFLOW, input, reuse, {
      workflowId: input.workflow_id,
      memo: { ...memo },
      priority: { priorityKey: input.priority },
      staticSummary: `build ${build_id}: ${request.repository} ${request.workflow} @ ${request.ref}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: BUILD_ID, value: String(build_id) },
        { key: REPOSITORY, value: request.repository },
        { key: REF, value: request.ref },
        { key: STATUS, value: 'queued' },
      ]),
    });
  },
};
