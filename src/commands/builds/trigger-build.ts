import type { TriggerBody } from '../../contracts/builds/build.ts';
import { type BuildInput, buildWorkflowId } from '../../contracts/builds/build-workflow.ts';
import { type Build, dedupUntil, replays } from '../../domain/builds/build.ts';
import { isDirect, policyUnder } from '../../domain/builds/configuration.ts';
import { fingerprint, requestKey } from '../../domain/builds/request-key.ts';
import type { ForgeAddresses } from '../../domain/forges/place.ts';
import { findBuildByRequestKey } from '../../store/builds/build-find.ts';
import { type CallbackHosts, callbackOf } from '../callbacks/callback-of.ts';
import type { Configurations } from '../configurations/configurations.ts';
import type { Principal } from '../keys/principal.ts';
import { type Accepted, accept, type Existing, knownSoon, replay } from '../lifecycle/accept.ts';
import { Refusal } from '../refusal.ts';
import type { BuildIds } from './build-ids.ts';
import { BUILD } from './build-kind.ts';
import { type DirectDependencies, dispatchDirectly } from './dispatch-directly.ts';
import type { OperateDependencies } from './operate-build.ts';
import { resolveTrigger } from './resolve-trigger.ts';

export interface TriggerDependencies extends OperateDependencies, DirectDependencies {
  /** Whether builds use the queue if their configuration does not say how to dispatch. */
  queueEnabled: boolean;
  buildIds: BuildIds;
  configurations: Configurations;
  callbackHosts: CallbackHosts;
  forges: ForgeAddresses;
}

export interface Trigger {
  body: TriggerBody;
  caller: string;
  idempotencyKey: string | undefined;
  /** The caller, who is held to their reach and their limit of work in flight; omitted if Hapax itself asks. */
  principal?: Principal;
}

/**
 * Accepts a trigger: starts the build's workflow, or finds the build that the same request made before. Temporal alone
 * decides which (one workflow id per request key); for direct dispatches, the record decides. The record is read first,
 * since it knows what Temporal has forgotten: an Idempotency-Key outlives its workflow, and Temporal's data may be lost.
 *
 * @throws {Refusal} if nothing was started: unknown or retired configuration, inputs that GitHub would refuse, a callback
 * URL that can never be called, a key used for another request, or a dependency that is down.
 */
export async function triggerBuild(
  deps: TriggerDependencies,
  { body, caller, idempotencyKey, principal }: Trigger,
): Promise<Accepted<Build>> {
  const keyed = idempotencyKey !== undefined;
  const scope = keyed ? { caller, route: 'POST /builds/trigger', key: idempotencyKey } : undefined;
  const knownBy = (key: string) => knownSoon(findBuildByRequestKey(deps.db, key));
  const earlier = scope && (await knownBy(requestKey('', scope)));
  const { configuration, request, formerRequest } = await resolveTrigger(
    deps.configurations,
    body,
    { correlationInput: deps.policy.correlation_input, forges: deps.forges },
    earlier,
  );
  principal?.requireRepository(request.repository);
  const print = fingerprint(request);
  const key = requestKey(print, scope);
  const former = formerRequest && fingerprint(formerRequest);
  const callback = await callbackOf(body.callback_url ?? configuration.definition.callback_url, deps.callbackHosts);
  const replayOf = (existing: Existing<Build>) =>
    replay(deps, BUILD, existing, { fingerprints: [print, former], otherwise: reusedKey(existing.id), callback });
  const now = Date.now();
  const candidates = keyed ? [earlier] : await Promise.all([knownBy(key), former && knownBy(former)]);
  const known = candidates.find((build) => build && replays(build, new Date(now).toISOString()));
  if (known) return replayOf(known);

  const id = await takeId(deps.buildIds);
  const { concurrency } = configuration.definition;
  const direct = isDirect(configuration.definition, deps.queueEnabled);
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
    dedup_until: dedupUntil(now, deps.dedupWindowMs),
    policy: policyUnder(configuration.definition, deps.policy),
    ...(callback ? { callback } : {}),
    ...(direct ? { direct } : {}),
  };
  const reuse = keyed ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE';
  const start: () => Promise<(Existing<Build> & { usesId?: true }) | undefined> = direct
    ? () => dispatchDirectly(deps, input, reuse)
    : () => accept(deps, BUILD, input, reuse);
  const existing = await (principal ? principal.begin('builds', start) : start()).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'too_many_in_flight') deps.buildIds.giveBack(id);
    throw error;
  });
  if (!existing) return { id, status: 'queued', replayed: false };
  if (!existing.usesId) deps.buildIds.giveBack(id);
  return replayOf(existing);
}

function reusedKey(id: number): Refusal {
  return new Refusal('idempotency_key_reused', {
    detail: `build ${id} was requested with this key and other content; use a new key`,
  });
}

/** @throws {Refusal} if no id is held and the database or Temporal is away. */
function takeId(buildIds: BuildIds): Promise<number> {
  return buildIds.take().catch((cause: unknown) => {
    if (cause instanceof Refusal) throw cause;
    const detail = 'no build id is available; try again';
    throw new Refusal('database_unavailable', { detail, retryAfterSeconds: 5, cause });
  });
}
