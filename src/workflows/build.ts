import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { condition, setCurrentDetails, setHandler, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import type { BuildInput, BuildResult } from '../contracts/build-workflow.ts';
import type { Run } from '../contracts/github.ts';
import { statusOf } from '../domain/build.ts';
import { queuedEvent } from '../domain/first-events.ts';
import { dispatch, type Operator } from './dispatch.ts';
import { type Ended, follow } from './follow.ts';
import { adoptSignal, type BuildStateView, retrySignal, stateQuery } from './messages.ts';
import { type Tell, tellerOf } from './teller.ts';

const STATUS = defineSearchAttributeKey('HapaxStatus', SearchAttributeType.KEYWORD);
const RUN_ID = defineSearchAttributeKey('HapaxRunId', SearchAttributeType.KEYWORD);

/**
 * One requested run of a GitHub Actions workflow, from the accepted trigger to its end:
 *
 * queued -> started -> intent -> dispatch once -> (doubt: reconcile by reading) -> triggered -> followed -> completed
 * -> open until the dedup window ends.
 */
export async function build(input: BuildInput): Promise<BuildResult> {
  const state: BuildStateView = { build_id: input.build_id, phase: 'queued', attempt: 0, workflow_run_id: null };
  setHandler(stateQuery, () => state);
  const operator = listenToOperator();
  const tell = tellerOf(input.build_id);

  const { data, dedupe_key, occurred_at } = queuedEvent(input);
  await tell('build_queued', dedupe_key, data, occurred_at);
  await tell('build_started', 'started', {});
  const dispatched = await dispatch(input, tell, state, operator);
  let run: Run | undefined;
  let ended: Ended & { detail?: string };
  if ('run' in dispatched) {
    run = dispatched.run;
    state.phase = 'following';
    state.workflow_run_id = run.run_id;
    upsertSearchAttributes([
      { key: STATUS, value: 'in_progress' },
      { key: RUN_ID, value: String(run.run_id) },
    ]);
    setCurrentDetails(`Run [${run.run_id}](${run.run_url})`);
    // The run has the whole time, however long it took to get it.
    ended = await follow(input, tell, run, Date.now() + input.policy.deadline_ms);
  } else {
    const { conclusion, reason } = dispatched.none;
    ended = { conclusion, run_attempt: null, learned_from: 'deadline', request_id: null, detail: reason };
  }
  await end(tell, ended, dispatched);

  const status = statusOf(ended.conclusion);
  state.phase = 'ended';
  upsertSearchAttributes([{ key: STATUS, value: status }]);
  setCurrentDetails(`${ended.conclusion}${run ? `: run [${run.run_id}](${run.run_url})` : `: ${ended.detail}`}`);

  const untilDedupEnds = Date.parse(input.dedup_until) - Date.now();
  if (status === 'success' && untilDedupEnds > 0) await sleep(untilDedupEnds);
  return { build_id: input.build_id, status, conclusion: ended.conclusion, run_url: run?.run_url ?? null };
}

async function end(
  tell: Tell,
  ended: Ended & { detail?: string },
  dispatched: Awaited<ReturnType<typeof dispatch>>,
): Promise<void> {
  await tell('build_completed', 'completed', ended);
  if ('none' in dispatched) {
    const { reason, attempts } = dispatched.none;
    await tell('build_dead_lettered', 'dead_lettered', { reason, attempts });
  }
}

function listenToOperator(): Operator {
  let told: Awaited<ReturnType<Operator['instruction']>> | undefined;
  setHandler(adoptSignal, ({ run_id, run_url = '' }) => {
    told = { adopt: { run_id, run_url } };
  });
  setHandler(retrySignal, () => {
    told = 'retry';
  });
  return {
    async instruction() {
      told = undefined;
      await condition(() => told !== undefined);
      return told!;
    },
  };
}
