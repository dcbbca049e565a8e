import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import type { Logger } from 'pino';
import type { BuildStatus, TriggerBody } from '../../contracts/build.ts';
import {
  BUILD_TASK_QUEUE,
  BUILD_WORKFLOW,
  type BuildInput,
  type BuildMemo,
  type BuildPolicy,
  buildWorkflowId,
} from '../../contracts/build-workflow.ts';
import type { BuildConfiguration } from '../../contracts/configuration.ts';
import { replays } from '../../domain/build.ts';
import { inputsFault, resolveRequest } from '../../domain/configuration.ts';
import { queuedEvent } from '../../domain/queued-event.ts';
import { fingerprint, requestKey } from '../../domain/request-key.ts';
import { findBuild, findBuildByRequestKey } from '../../store/build-find.ts';
import type { Db } from '../../store/database.ts';
import { appendBuildEvent } from '../../store/event-append.ts';
import type { build } from '../../workflows/index.ts';
import type { BuildIds } from '../build-ids.ts';
import { ApiError } from '../problem.ts';

export interface TriggerDependencies {
  client: Client;
  /** The worker runs in this process, on the client's connection: the server may hand it the first task in its answer. */
  workerBeside: boolean;
  db: Db;
  buildIds: BuildIds;
  /** The newest version of a configuration. */
  configuration(id: number): Promise<BuildConfiguration | undefined>;
  policy: BuildPolicy;
  /** How long an equal request without Idempotency-Key gets the same build, milliseconds from the trigger. */
  dedupWindowMs: number;
  log: Logger;
}

export interface Trigger {
  body: TriggerBody;
  caller: string;
  idempotencyKey: string | undefined;
}

export interface Triggered {
  id: number;
  status: BuildStatus;
  /** The build existed before this request. */
  replayed: boolean;
}

/** Longest wait for Temporal to take a start; past it the client is told to come back. */
const START_TIMEOUT_MS = 10_000;
/** Longest wait for the record before the 202; past it the workflow tells the record alone. */
const RECORD_WAIT_MS = 1_000;
/** How long a trigger waits for the workflow of a failed build to close, which it does within a few tasks. */
const CLOSING_WAIT_MS = 2_000;

const BUILD_ID = defineSearchAttributeKey('HapaxBuildId', SearchAttributeType.KEYWORD);
const REPOSITORY = defineSearchAttributeKey('HapaxRepository', SearchAttributeType.KEYWORD);
const REF = defineSearchAttributeKey('HapaxRef', SearchAttributeType.KEYWORD);
const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);

/**
 * Accepts a trigger: starts the build's workflow, or finds the build that the same request made before. Temporal alone
 * decides which (one workflow id per request key); the read before it only spares it the question.
 *
 * @throws {ApiError} where nothing was started: unknown configuration, inputs that GitHub would refuse, a key used for
 * another request, or a dependency that is down.
 */
export async function triggerBuild(
  deps: TriggerDependencies,
  { body, caller, idempotencyKey }: Trigger,
): Promise<Triggered> {
  const configId = body.config_id ?? 1;
  const configuration = await deps.configuration(configId);
  if (!configuration) throw new ApiError('unknown_configuration', { detail: `config_id ${configId} does not exist` });
  const request = resolveRequest(configuration, body);
  const fault = inputsFault(request.inputs, deps.policy.correlation_input);
  if (fault) throw new ApiError('unprocessable_inputs', { detail: fault });

  const print = fingerprint(request);
  const keyed = idempotencyKey !== undefined;
  const key = requestKey(print, keyed ? { caller, route: 'POST /builds/trigger', key: idempotencyKey } : undefined);
  const now = Date.now();

  const known = await findBuildByRequestKey(deps.db, key).catch(() => undefined);
  if (known && replays(known, new Date(now).toISOString())) {
    return replay(known.id, known.status, known.fingerprint, print);
  }

  const id = await deps.buildIds.take().catch((cause: unknown) => {
    throw new ApiError('database_unavailable', {
      detail: 'no build id can be had; try again',
      retryAfterSeconds: 5,
      cause,
    });
  });
  const input: BuildInput = {
    build_id: id,
    workflow_id: buildWorkflowId(key),
    request_key: key,
    fingerprint: print,
    keyed,
    caller,
    config_id: configuration.id,
    config_version: configuration.version,
    image_type: body.image_type ?? null,
    fedora_version: body.fedora_version ?? null,
    priority: body.priority ?? 3,
    request,
    created_at: new Date(now).toISOString(),
    dedup_until: new Date(now + deps.dedupWindowMs).toISOString(),
    policy: deps.policy,
  };
  const other = await start(deps, input);
  if (other) {
    deps.buildIds.giveBack(id);
    return replay(other.id, other.status, other.fingerprint, print);
  }
  await recordQueued(deps, input);
  return { id, status: 'queued', replayed: false };
}

function replay(id: number, status: BuildStatus, standing: string, asked: string): Triggered {
  if (standing !== asked) {
    throw new ApiError('idempotency_key_reused', {
      detail: `build ${id} was requested under this key with other content; use a new key`,
    });
  }
  return { id, status, replayed: true };
}

/** Starts the workflow; answers with the build that holds the workflow id if it is taken. */
async function start(
  deps: TriggerDependencies,
  input: BuildInput,
): Promise<{ id: number; status: BuildStatus; fingerprint: string } | undefined> {
  const { request, workflow_id: workflowId, build_id, fingerprint } = input;
  const memo: BuildMemo = { build_id, fingerprint };
  const giveUp = Date.now() + CLOSING_WAIT_MS;
  for (;;) {
    try {
      await deps.client.withDeadline(Date.now() + START_TIMEOUT_MS, () =>
        deps.client.workflow.start<typeof build>(BUILD_WORKFLOW, {
          workflowId,
          taskQueue: BUILD_TASK_QUEUE,
          args: [input],
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: input.keyed ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
          requestEagerStart: deps.workerBeside,
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
      return undefined;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw temporalUnavailable(error);
      const holder = await describeHolder(deps, workflowId);
      // It failed and is about to close: the same request may start a new build, as soon as it has.
      const closing = !input.keyed && (holder.status === 'failure' || holder.status === 'cancelled');
      if (!closing || Date.now() > giveUp) return holder;
      await delay(20);
    }
  }
}

async function describeHolder({ client, db }: TriggerDependencies, workflowId: string) {
  const described = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      throw temporalUnavailable(error);
    });
  const { build_id: id, fingerprint } = described.memo as unknown as BuildMemo;
  const recorded = await findBuild(db, id).catch(() => undefined);
  const status =
    recorded?.status ?? (described.typedSearchAttributes.get(STATUS) as BuildStatus | undefined) ?? 'queued';
  return { id, status, fingerprint };
}

/** gRPC's INVALID_ARGUMENT: our own fault, which coming back later does not mend. */
const INVALID_ARGUMENT = 3;

/** Any other failure of a start leaves open whether it happened; the same request later finds out. */
function temporalUnavailable(error: unknown): ApiError {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause) || cause.code === INVALID_ARGUMENT) return new ApiError('internal', { cause: error });
  return new ApiError('temporal_unavailable', {
    detail: 'the build may not have been accepted; send the same request again and it will be made once',
    retryAfterSeconds: 5,
    cause: error,
  });
}

/** Makes the build visible at once; if the database is away, the workflow tells the same event when it is back. */
async function recordQueued({ db, log }: TriggerDependencies, input: BuildInput): Promise<void> {
  const recorded = appendBuildEvent(db, input.build_id, queuedEvent(input)).catch((error: unknown) => {
    log.warn({ err: error, build_id: input.build_id }, 'build accepted; its record will follow');
  });
  await Promise.race([recorded, delay(RECORD_WAIT_MS, undefined, { ref: false })]);
}
