import { randomUUID } from 'node:crypto';
import { BUILD_SIGNALS, type BuildInput, DIRECT_INTENT } from '../../contracts/builds/build-workflow.ts';
import type { BuildEvent, BuildRequest } from '../../contracts/builds/event.ts';
import type { DispatchOutcome } from '../../contracts/github/github.ts';
import type { Build } from '../../domain/builds/build.ts';
import { dispatchToken } from '../../domain/builds/dispatch-token.ts';
import { COMPLETED, dispatchStep, STARTED, TRIGGERED } from '../../domain/builds/event-keys.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { queueOnce } from '../../store/builds/build-queue-once.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { type AcceptDependencies, type Existing, startUnlessTaken } from '../lifecycle/accept.ts';
import { endAbandoned } from '../lifecycle/end-abandoned.ts';
import type { Reuse } from '../lifecycle/start-workflow.ts';
import { Refusal } from '../refusal.ts';
import { BUILD } from './build-kind.ts';

export interface DirectDependencies extends AcceptDependencies {
  /** Sends one dispatch to the forge of a build. */
  sendDispatch(request: BuildRequest, correlation: { input: string; token: string } | null): Promise<DispatchOutcome>;
  /** Requests a comparison of record and Temporal soon, because a build has no workflow yet. */
  reconcileSoon?: (() => void) | undefined;
}

/** The wait before the next dispatch if the forge names none. */
const RETRY_MS = 1_000;

const FIRST = dispatchStep(1);

/**
 * Accepts a build and sends its first dispatch at once, in the request that triggers it. The record decides which of several equal
 * requests is first, so this works while Temporal is away. The workflow starts before the POST and waits. Once the forge has responded,
 * it continues from the record. If this process has died by then, the workflow looks for the run, as after any lost response.
 * @returns the build that an equal request made before. With `usesId`, the record also has the new build, which has ended.
 * @throws {Refusal} if Temporal refuses the start, or the build of an equal request has not closed.
 * @throws if the database is away; then nothing was sent.
 */
export async function dispatchDirectly(
  deps: DirectDependencies,
  input: BuildInput,
  reuse: Reuse,
): Promise<(Existing<Build> & { usesId?: true }) | undefined> {
  const known = await queueOnce(deps.db, input);
  if (known) return known;
  const led = await startUnlessTaken(deps, BUILD, input, reuse).then(
    (existing) => ({ existing }),
    async (error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === 'temporal_unavailable') return undefined;
      if (error.code === 'still_closing') await endUnbegun(deps, input, error.message);
      throw error;
    },
  );
  if (led?.existing && led.existing.id !== input.build_id) {
    await endUnbegun(deps, input, `an equal request runs as build ${led.existing.id}`);
    return { ...led.existing, usesId: true };
  }
  try {
    await dispatchOnce(deps, input);
  } catch (err) {
    // The workflow settles it by reading from the forge.
    deps.log.warn({ err, build_id: input.build_id }, 'the record of a direct dispatch is incomplete');
  }
  if (led) await takeOver(deps, input);
  else deps.reconcileSoon?.();
  return undefined;
}

/** Sends the dispatch and records the outcome, unless the workflow was first or the build has ended. */
async function dispatchOnce({ db, sendDispatch, log }: DirectDependencies, input: BuildInput): Promise<void> {
  const { build_id, policy, request } = input;
  const owner = { workflow_id: input.workflow_id, created_at: input.created_at };
  const record = (happening: Pick<BuildEvent, 'type' | 'data'>, dedupe_key: string) =>
    appendEvent(
      db,
      BUILDS,
      build_id,
      { ...happening, occurred_at: new Date().toISOString(), dedupe_key } as BuildEvent,
      { owner },
    );
  const token = dispatchToken(build_id, 1, randomUUID());
  try {
    await record({ type: 'build_started', data: {} }, STARTED);
    const intent = { attempt: 1, token, temporal_run_id: DIRECT_INTENT };
    const { event } = await record({ type: 'dispatch_intended', data: intent }, `${FIRST}:intended`);
    if (event.data.token !== token) return;
  } catch (error) {
    if (!(error instanceof IllegalEvent)) throw error;
    log.info({ build_id }, 'the build ended before it was dispatched');
    return;
  }
  const { correlation_input } = policy;
  const outcome = await sendDispatch(request, correlation_input === '' ? null : { input: correlation_input, token });
  const { happening, key } = happeningOf(outcome);
  await record(happening, key);
}

/** Returns the event for the outcome of the dispatch, with the key under which the workflow records it. */
function happeningOf(outcome: DispatchOutcome): { happening: Pick<BuildEvent, 'type' | 'data'>; key: string } {
  const attempt = 1;
  switch (outcome.kind) {
    case 'accepted': {
      const { run_id: workflow_run_id, run_url, correlated, request_id } = outcome;
      const data = { attempt, workflow_run_id, run_url, learned_from: 'dispatch', correlated, request_id } as const;
      return { happening: { type: 'workflow_triggered', data }, key: TRIGGERED };
    }
    case 'rejected': {
      const { status, message, request_id } = outcome;
      const data = { attempt, status, message, request_id };
      return { happening: { type: 'dispatch_rejected', data }, key: `${FIRST}:rejected` };
    }
    case 'not_sent': {
      const retry_at = new Date(Date.now() + (outcome.wait_ms ?? RETRY_MS)).toISOString();
      const data = { attempt, reason: outcome.reason, retry_at };
      return { happening: { type: 'dispatch_delayed', data }, key: `${FIRST}:delayed` };
    }
    case 'ambiguous': {
      const { reason, request_id, accepted, correlated } = outcome;
      const data = { attempt, reason, request_id, accepted, correlated };
      return { happening: { type: 'dispatch_ambiguous', data }, key: `${FIRST}:ambiguous` };
    }
  }
}

/** Lets the workflow go on now. If the signal is lost, the workflow waits for the rest of its time. */
async function takeOver({ client, log }: DirectDependencies, { workflow_id, build_id }: BuildInput): Promise<void> {
  await client.workflow
    .getHandle(workflow_id)
    .signal(BUILD_SIGNALS.dispatched)
    .catch((err: unknown) => log.info({ err, build_id }, 'the workflow of a direct dispatch goes on later'));
}

/** Ends a build that never begins: its workflow id is taken, which the record did not know. */
async function endUnbegun(deps: DirectDependencies, { build_id }: BuildInput, detail: string): Promise<void> {
  const data = {
    conclusion: 'cancelled',
    run_attempt: null,
    learned_from: 'reconcile',
    request_id: null,
    detail,
  } as const;
  await endAbandoned(deps, BUILDS, build_id, '', { ending: { type: 'build_cancelled', data, key: COMPLETED } });
}
