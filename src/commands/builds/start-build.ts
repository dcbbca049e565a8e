import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { BUILD_WORKFLOW, type BuildInput, type BuildMemo } from '../../contracts/builds/build-workflow.ts';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/tasks/task-queues.ts';
import { sha256 } from '../../domain/record/hash.ts';
import type { build } from '../../workflows/index.ts';
import type { KnownInstallation } from '../lifecycle/installation.ts';
import { Refusal } from '../refusal.ts';

export interface StartDependencies {
  client: Client;
  /** The installation that starts workflows. */
  installation: Pick<KnownInstallation, 'memo' | 'epoch'>;
  /** The worker runs in this process, on the client's connection: the server may hand it the first task in its answer. */
  workerBeside: boolean;
}

/** Longest wait for Temporal to take a start; past it the client is told to come back. */
const START_TIMEOUT_MS = 10_000;

/** How long to wait for the workflow of a build that failed to close, which it does within a few tasks. */
export const CLOSING_WAIT_MS = 2_000;

/**
 * gRPC's INVALID_ARGUMENT: our own fault, which coming back later does not mend; but a server that was started or set up a
 * moment ago says so of search attributes that it has yet to learn.
 */
const INVALID_ARGUMENT = 3;

const BUILD_ID = defineSearchAttributeKey('HapaxBuildId', SearchAttributeType.KEYWORD);
const REPOSITORY = defineSearchAttributeKey('HapaxRepository', SearchAttributeType.KEYWORD);
const REF = defineSearchAttributeKey('HapaxRef', SearchAttributeType.KEYWORD);
export const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);

/** Starts the workflow of a build; false where its id is taken, which Temporal alone decides. */
export async function startBuild(
  { client, workerBeside, installation }: StartDependencies,
  input: BuildInput,
  reuse: Reuse,
): Promise<boolean> {
  const { request, build_id, fingerprint } = input;
  const memo: BuildMemo = { build_id, fingerprint, ...installation.memo, ...callbackMemo(input.callback) };
  return startedFirst(client, () =>
    client.workflow.start<typeof build>(BUILD_WORKFLOW, {
      ...firstOf({ workerBeside }, reuse),
      workflowId: input.workflow_id,
      args: [input],
      memo: { ...memo },
      priority: { priorityKey: input.priority },
      staticSummary: `build ${build_id}: ${request.repository} ${request.workflow} @ ${request.ref}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: BUILD_ID, value: String(build_id) },
        { key: REPOSITORY, value: request.repository },
        { key: REF, value: request.ref },
        { key: STATUS, value: 'queued' },
      ]),
    }),
  );
}

/** What a memo says of a callback; nothing where there is none. */
export function callbackMemo(callback: CallbackTarget | undefined): { callback_digest?: string } {
  return callback ? { callback_digest: sha256(callback.url) } : {};
}

/** Whether a closed workflow may be followed by another of its id. */
export type Reuse = 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE';

/** Options of a start by which Temporal decides who was first, for {@link startedFirst}. */
export function firstOf({ workerBeside }: Pick<StartDependencies, 'workerBeside'>, reuse: Reuse) {
  return {
    taskQueue: WORKFLOW_TASK_QUEUE,
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: reuse,
    requestEagerStart: workerBeside,
  } as const;
}

/** Starts a workflow; false where its id is taken. @throws {Refusal} where Temporal did not take the start. */
export async function startedFirst(client: Client, start: () => Promise<unknown>): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + START_TIMEOUT_MS, start);
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw temporalFault(error);
  }
}

/** Why a call to Temporal failed. A failed start leaves open whether it happened; the same request later finds out. */
export function temporalFault(error: unknown): Refusal {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return new Refusal('internal', { cause: error });
  if (cause.code === INVALID_ARGUMENT && !cause.message.includes('search attribute')) {
    return new Refusal('internal', { cause: error });
  }
  return new Refusal('temporal_unavailable', {
    detail: 'it may not have been accepted; send the same request again and it will be done once',
    retryAfterSeconds: 5,
    cause: error,
  });
}
