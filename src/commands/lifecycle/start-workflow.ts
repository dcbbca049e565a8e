import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/tasks/task-queues.ts';
import { sha256 } from '../../domain/record/hash.ts';
import { Refusal } from '../refusal.ts';
import type { KnownInstallation } from './installation.ts';

export interface StartDependencies {
  client: Client;
  /** The installation that starts workflows. */
  installation: Pick<KnownInstallation, 'memo' | 'epoch'>;
  /** The worker runs in this process, on the client's connection: the server may hand it the first task in its response. */
  workerBeside: boolean;
}

/** Longest wait for Temporal to take a start; past it the client has to come back. */
const START_TIMEOUT_MS = 10_000;

/**
 * gRPC's INVALID_ARGUMENT: our own fault, which coming back later does not mend; but a server that was started or set up a
 * moment ago says so of search attributes that it has yet to learn.
 */
const INVALID_ARGUMENT = 3;

export const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);

/** Whether a closed workflow may be followed by another of its id. */
export type Reuse = 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE';

type Options = Pick<
  WorkflowStartOptions,
  'workflowId' | 'memo' | 'priority' | 'staticSummary' | 'typedSearchAttributes'
>;

/**
 * Starts a workflow; false where its id is taken, which Temporal alone decides.
 * @throws {Refusal} where Temporal did not take the start.
 */
export async function startWorkflow<Started extends (input: never) => Promise<unknown>>(
  { client, workerBeside = false }: Pick<StartDependencies, 'client'> & Partial<StartDependencies>,
  type: string,
  input: Parameters<Started>[0],
  reuse: Reuse,
  options: Options,
): Promise<boolean> {
  const start = () =>
    client.workflow.start(type, {
      ...options,
      args: [input],
      taskQueue: WORKFLOW_TASK_QUEUE,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: reuse,
      requestEagerStart: workerBeside,
    });
  try {
    await client.withDeadline(Date.now() + START_TIMEOUT_MS, start);
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw temporalFault(error);
  }
}

/** What a memo says of a callback; nothing where there is none. */
export function callbackMemo(callback: CallbackTarget | undefined): { callback_digest?: string } {
  return callback ? { callback_digest: sha256(callback.url) } : {};
}

/** Why a call to Temporal failed. A failed start leaves open whether it happened; the same request later finds out. */
export function temporalFault(error: unknown): Refusal {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return new Refusal('internal', { cause: error });
  if (cause.code === INVALID_ARGUMENT && !cause.message.includes('search attribute')) {
    return new Refusal('internal', { cause: error });
  }
  return new Refusal('temporal_unavailable', {
    detail: 'the request may or may not have been accepted; send the same request again, and it runs once',
    retryAfterSeconds: 5,
    cause: error,
  });
}
