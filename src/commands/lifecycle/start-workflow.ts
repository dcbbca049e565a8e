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
import type { EndMeter } from '../../domain/end-meter.ts';
import { sha256 } from '../../domain/record/hash.ts';
import { Refusal } from '../refusal.ts';
import type { KnownInstallation } from './installation.ts';

export interface StartDependencies {
  client: Client;
  /** The installation that starts workflows. */
  installation: Pick<KnownInstallation, 'memo' | 'epoch'>;
  /**
   * Whether the worker runs in this process, on the client's connection: then the server may put the first workflow task in
   * its response.
   */
  workerBeside: boolean;
  /** Counts builds and tasks that a command ends. Left out: nobody counts them. */
  ends?: EndMeter | undefined;
}

/** How long Temporal may take to accept a start. After that, the client has to try again. */
const START_TIMEOUT_MS = 10_000;

/**
 * gRPC's INVALID_ARGUMENT: our own fault, so that a later retry does not help. But a server that was just started or set up
 * also returns it for search attributes that it does not know yet.
 */
const INVALID_ARGUMENT = 3;

export const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);

/** Whether another workflow may follow a closed one with its id. */
export type Reuse = 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE';

type Options = Pick<
  WorkflowStartOptions,
  'workflowId' | 'memo' | 'priority' | 'staticSummary' | 'typedSearchAttributes'
>;

/**
 * Starts a workflow; returns false if its id is taken, which Temporal alone decides.
 * @throws {Refusal} if Temporal did not accept the start.
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

/** Returns the memo fields about a callback; none if there is no callback. */
export function callbackMemo(callback: CallbackTarget | undefined): { callback_digest?: string } {
  return callback ? { callback_digest: sha256(callback.url) } : {};
}

/** Says why a call to Temporal failed. A failed start may have happened; the same request later finds out. */
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
