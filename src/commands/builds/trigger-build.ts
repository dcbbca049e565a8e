import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BuildStatus, TriggerBody } from '../../contracts/builds/build.ts';
import {
  type BuildInput,
  type BuildMemo,
  type BuildPolicy,
  buildWorkflowId,
} from '../../contracts/builds/build-workflow.ts';
import { replays } from '../../domain/builds/build.ts';
import { policyUnder } from '../../domain/builds/configuration.ts';
import { fingerprint, requestKey } from '../../domain/builds/request-key.ts';
import { buildQueuedEvent } from '../../domain/record/first-events.ts';
import { findBuild, findBuildByRequestKey } from '../../store/builds/build-find.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { saveCallbackTarget } from '../../store/endings/callback-target-save.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { addCallback } from '../callbacks/add-callback.ts';
import { type CallbackHosts, callbackOf } from '../callbacks/callback-of.ts';
import type { Configurations } from '../configurations/configurations.ts';
import { knownSoon, recordSoon } from '../lifecycle/record-soon.ts';
import { Refusal } from '../refusal.ts';
import type { BuildIds } from './build-ids.ts';
import { resolveTrigger } from './resolve-trigger.ts';
import {
  CLOSING_WAIT_MS,
  callbackMemo,
  STATUS,
  type StartDependencies,
  startBuild,
  temporalFault,
} from './start-build.ts';

export interface TriggerDependencies extends StartDependencies {
  db: Db;
  buildIds: BuildIds;
  configurations: Configurations;
  policy: BuildPolicy;
  callbackHosts: CallbackHosts;
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

/**
 * Accepts a trigger: starts the build's workflow, or finds the build that the same request made before. Temporal alone
 * decides which (one workflow id per request key); the read before it only spares it the question.
 *
 * @throws {Refusal} where nothing was started: unknown or retired configuration, inputs that GitHub would refuse, a callback URL
 * that can never be called, a key used for another request, or a dependency that is down.
 */
export async function triggerBuild(
  deps: TriggerDependencies,
  { body, caller, idempotencyKey }: Trigger,
): Promise<Triggered> {
  const keyed = idempotencyKey !== undefined;
  const scope = keyed ? { caller, route: 'POST /builds/trigger', key: idempotencyKey } : undefined;
  const knownBy = (key: string) => knownSoon(findBuildByRequestKey(deps.db, key));
  const earlier = scope && (await knownBy(requestKey('', scope)));
  const { configuration, request, formerRequest } = await resolveTrigger(
    deps.configurations,
    body,
    deps.policy.correlation_input,
    earlier,
  );
  const callback = await callbackOf(body.callback_url ?? configuration.definition.callback_url, deps.callbackHosts);

  const print = fingerprint(request);
  const key = requestKey(print, scope);
  const now = Date.now();

  const former = formerRequest && fingerprint(formerRequest);
  const replay = async (standing: Standing): Promise<Triggered> => {
    const { id, status } = standing;
    if (standing.fingerprint !== print && standing.fingerprint !== former) {
      throw new Refusal('idempotency_key_reused', {
        detail: `build ${id} was requested under this key with other content; use a new key`,
      });
    }
    if (callback && standing.callback_digest !== callbackMemo(callback).callback_digest) {
      await addCallback(deps, buildStream(id), callback);
    }
    return { id, status, replayed: true };
  };
  const candidates = keyed ? [earlier] : [await knownBy(key), former && (await knownBy(former))];
  const known = candidates.find((build) => build && replays(build, new Date(now).toISOString()));
  if (known) return replay(known);

  const id = await deps.buildIds.take().catch((cause: unknown) => {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('database_unavailable', {
      detail: 'no build id can be had; try again',
      retryAfterSeconds: 5,
      cause,
    });
  });
  const { concurrency } = configuration.definition;
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
    ...(concurrency === 'allow' ? {} : { concurrency }),
    created_at: new Date(now).toISOString(),
    ...deps.installation.epoch,
    dedup_until: new Date(now + deps.dedupWindowMs).toISOString(),
    policy: policyUnder(configuration.definition, deps.policy),
    ...(callback ? { callback } : {}),
  };
  const other = await start(deps, input);
  if (other) {
    deps.buildIds.giveBack(id);
    return replay(other);
  }
  await recordSoon(record(deps.db, input), (error) =>
    deps.log.warn({ err: error, build_id: id }, 'build accepted; its record will follow'),
  );
  return { id, status: 'queued', replayed: false };
}

/** The build that an equal request made before. */
type Standing = { id: number; status: BuildStatus } & Pick<BuildMemo, 'fingerprint' | 'callback_digest'>;

/** Starts the workflow; answers with the build that holds the workflow id if it is taken. */
async function start(deps: TriggerDependencies, input: BuildInput): Promise<Standing | undefined> {
  const giveUp = Date.now() + CLOSING_WAIT_MS;
  while (!(await startBuild(deps, input, input.keyed ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE'))) {
    const holder = await describeHolder(deps, input.workflow_id);
    // That build failed, and its workflow is about to close: then the same request may start a new one.
    const closing = !input.keyed && (holder.status === 'failure' || holder.status === 'cancelled');
    if (!closing || Date.now() > giveUp) return holder;
    await delay(20);
  }
  return undefined;
}

/** What Temporal knows of the build that holds a workflow id. */
async function describeHolder({ client, db }: TriggerDependencies, workflowId: string): Promise<Standing> {
  const described = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      throw temporalFault(error);
    });
  const { build_id: id, ...known } = described.memo as unknown as BuildMemo;
  const recorded = await knownSoon(findBuild(db, id));
  const status =
    recorded?.status ?? (described.typedSearchAttributes.get(STATUS) as BuildStatus | undefined) ?? 'queued';
  return { ...known, id, status };
}

async function record(db: Db, input: BuildInput): Promise<void> {
  // Before the event: whoever finds the build in the record, to retry it, finds the URL too.
  if (input.callback) await saveCallbackTarget(db, buildStream(input.build_id), input.callback.url);
  const { workflow_id, created_at } = input;
  await appendEvent(db, BUILDS, input.build_id, buildQueuedEvent(input), { owner: { workflow_id, created_at } });
}
