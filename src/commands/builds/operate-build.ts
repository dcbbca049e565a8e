import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import {
  BUILD_SIGNALS,
  type BuildInput,
  type BuildPolicy,
  type Resumption,
  type SignalArguments,
} from '../../contracts/builds/build-workflow.ts';
import type { RetryMode } from '../../contracts/builds/operator.ts';
import type { KnownRun } from '../../contracts/github/github.ts';
import { type Build, dedupUntil } from '../../domain/builds/build.ts';
import { policyUnder } from '../../domain/builds/configuration.ts';
import { COMPLETED } from '../../domain/builds/event-keys.ts';
import { mayStop } from '../../domain/builds/may-stop.ts';
import { retryModes } from '../../domain/builds/retry-modes.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { buildRetriedEvent } from '../../domain/record/first-events.ts';
import { findBuild } from '../../store/builds/build-find.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import { findConfigurationVersion } from '../../store/builds/configuration-find.ts';
import type { Db } from '../../store/database.ts';
import { findCallbackUrl } from '../../store/endings/callback-target-find.ts';
import { endAbandoned } from '../lifecycle/end-abandoned.ts';
import { findExecution } from '../lifecycle/executions.ts';
import { assertNoLostEnd } from '../lifecycle/lost-end.ts';
import { restart } from '../lifecycle/restart.ts';
import { type StartDependencies, temporalFault } from '../lifecycle/start-workflow.ts';
import { notFound, Refusal } from '../refusal.ts';
import { BUILD } from './build-kind.ts';

export interface OperateDependencies extends StartDependencies {
  db: Db;
  policy: BuildPolicy;
  /** How long an equal request without Idempotency-Key gets the same build, in milliseconds from the trigger or the retry. */
  dedupWindowMs: number;
}

/**
 * Asks a build to stop. Before its dispatch, nothing is sent; after it, the run is cancelled. If its workflow is gone
 * (terminated by hand), records the end here: a build without a workflow would hold its place for ever.
 * @throws {Refusal} 404; 409, also if it has a run and its forge has no way to stop it.
 */
export async function cancelBuild(deps: OperateDependencies, id: number, by: string): Promise<Build> {
  const build = await existing(deps, id);
  if (TERMINAL_STATUSES.includes(build.status)) throw ended(build);
  if (build.workflow_run_id !== null && !mayStop(build.request) && (await isLed(deps, build))) {
    if (build.request.shadow) {
      const detail = `another program started the run of build ${id}; stop ${build.run_url} on its page, and the build ends with it`;
      throw new Refusal('state_conflict', { detail });
    }
    throw notSupported(
      build,
      `has no way to stop a run; stop ${build.run_url} on its page, and the build ends with it`,
    );
  }
  try {
    await deps.client.workflow
      .getHandle(build.workflow_id)
      .signal<[SignalArguments['cancel']]>(BUILD_SIGNALS.cancel, { by, build_id: id });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
    await endCancelled(deps, id, by);
  }
  return build;
}

/** Records that a build without a workflow was cancelled, unless the workflow recorded an end before it closed. */
async function endCancelled(deps: OperateDependencies, id: number, by: string): Promise<void> {
  const build = await existing(deps, id);
  if (TERMINAL_STATUSES.includes(build.status)) throw ended(build);
  await assertNoLostEnd(deps.client, 'build', build);
  const data = {
    conclusion: 'cancelled',
    run_attempt: build.run_attempt,
    learned_from: 'operator',
    request_id: null,
    detail: 'no workflow leads it; its run, if any, was not stopped',
  } as const;
  await endAbandoned(deps, BUILDS, id, `gone:${build.started_at ?? build.queued_at}:`, {
    before: [{ key: 'cancel', type: 'cancel_requested', data: { by } }],
    ending: { key: COMPLETED, type: 'build_cancelled', data },
  });
}

/** Assigns a run to a build that needs attention. @throws {Refusal} 404, 409 */
export async function adoptRun(deps: OperateDependencies, id: number, run: { run_id: number }): Promise<Build> {
  const build = await existing(deps, id);
  if (!build.needs_attention) {
    throw new Refusal('state_conflict', {
      detail: `build ${id} is ${build.status}; only a build that needs attention can adopt a run`,
    });
  }
  await signalled(build, () =>
    deps.client.workflow.getHandle(build.workflow_id).signal<[SignalArguments['adopt']]>(BUILD_SIGNALS.adopt, run),
  );
  return build;
}

/**
 * Restarts a failed build, or makes one that needs attention send another dispatch.
 * @throws {Refusal} 404; 409 if it is neither, has no run to run again, or an equal request runs as another build; 503 if its workflow
 *   does not close.
 */
export async function retryBuild(
  deps: OperateDependencies,
  id: number,
  asked: RetryMode | undefined,
  by: string,
): Promise<Build> {
  const build = await existing(deps, id);
  if (build.request.shadow) {
    const detail = `another program sends the dispatch of build ${id}; have that program send it again`;
    throw new Refusal('state_conflict', { detail });
  }
  if (build.needs_attention) {
    await signalled(build, () => deps.client.workflow.getHandle(build.workflow_id).signal(BUILD_SIGNALS.retry));
    return build;
  }
  if (build.status !== 'failure') {
    throw new Refusal('state_conflict', {
      detail: `build ${id} is ${build.status}; only a failed build can be retried`,
    });
  }
  if (build.erased_at !== null) {
    const detail = `the inputs of build ${id} were erased on ${build.erased_at.slice(0, 10)}; trigger a new build`;
    throw new Refusal('state_conflict', { detail });
  }
  const run = runOf(build);
  const modes = retryModes(build);
  const mode = asked ?? modes[0]!;
  if (mode !== 'redispatch' && !run) {
    throw new Refusal('state_conflict', {
      detail: `build ${id} has no known run; check that none exists, then use the mode redispatch`,
    });
  }
  if (!modes.includes(mode)) {
    throw notSupported(
      build,
      'has no way to re-run a run; check that none is going, then retry with the mode redispatch',
    );
  }
  const resumption: Resumption = {
    retry: build.retries + 1,
    mode,
    by,
    retry_id: randomUUID(),
    at: new Date().toISOString(),
    run,
  };
  const input = { ...(await inputAgain(deps, build)), resume: resumption };
  if (!(await restart(deps, BUILD, build, input, buildRetriedEvent(resumption)))) {
    const detail = `build ${id} is already being retried, or an equal request is running as another build`;
    throw new Refusal('state_conflict', { detail });
  }
  return { ...build, status: 'queued' };
}

/** Finds the build with this id. @throws {Refusal} 404 */
export async function existing({ db }: Pick<OperateDependencies, 'db'>, id: number): Promise<Build> {
  const build = await findBuild(db, id);
  if (!build) throw notFound(`build ${id}`);
  return build;
}

/** Returns the run of a build; null if it has none. */
export function runOf({ workflow_run_id, run_url, run_attempt }: Build): KnownRun | null {
  if (workflow_run_id === null) return null;
  return { run_id: workflow_run_id, run_url: run_url ?? '', run_attempt: run_attempt ?? 1 };
}

/** Returns the input for another workflow of a build, under the version of its configuration that it used. */
export async function inputAgain(deps: OperateDependencies, build: Build): Promise<BuildInput> {
  const used = await findConfigurationVersion(deps.db, build.config_id, build.config_version);
  const url = await findCallbackUrl(deps.db, buildStream(build.id));
  const { id, workflow_id, request_key, fingerprint, keyed, caller, config_id, config_version } = build;
  const { image_type, fedora_version, priority, request, concurrency, created_at } = build;
  return {
    build_id: id,
    workflow_id,
    request_key,
    fingerprint,
    keyed,
    caller,
    config_id,
    config_version,
    image_type,
    fedora_version,
    priority,
    request,
    ...(concurrency === null ? {} : { concurrency }),
    created_at,
    // If the build succeeds this time, equal requests get it for a new window.
    dedup_until: dedupUntil(Date.now(), deps.dedupWindowMs),
    policy: used ? policyUnder(used.definition, deps.policy) : deps.policy,
    ...(url === undefined ? {} : { callback: { url, origin: new URL(url).origin } }),
  };
}

function notSupported({ request }: Build, why: string): Refusal {
  return new Refusal('not_supported', { detail: `${capabilitiesOf(request.forge).name} ${why}` });
}

/** Says whether the workflow of a build is running. */
async function isLed({ client }: OperateDependencies, { workflow_id }: Build): Promise<boolean> {
  const last = await findExecution(client, workflow_id).catch((error: unknown) => {
    throw temporalFault(error);
  });
  return last?.state === 'RUNNING';
}

async function signalled(build: Build, signal: () => Promise<void>): Promise<void> {
  try {
    await signal();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw temporalFault(error);
    const { id } = build;
    const detail = `the workflow of build ${id} no longer exists; POST /builds/${id}/cancel records the end of the build`;
    throw new Refusal('state_conflict', { detail });
  }
}

function ended(build: Build): Refusal {
  return new Refusal('state_conflict', { detail: `build ${build.id} has ended (${build.status})` });
}
