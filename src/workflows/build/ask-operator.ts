import { condition, patched, workflowInfo } from '@temporalio/workflow';
import type { Run } from '../../contracts/github/github.ts';
import { dispatchStep } from '../../domain/builds/event-keys.ts';
import { githubActivities } from '../activities.ts';
import type { OpenBuild } from './open-build.ts';
import type { Instruction } from './operator.ts';

/** First pause until an unanswered question is recorded again: the record may have lost it, and then nobody can answer. */
const ASK_AGAIN_MS = 3_600_000;

/** Longest such pause: a question may wait for weeks, and each repetition stays in the history. */
const LONGEST_SILENCE_MS = 24 * ASK_AGAIN_MS;

/**
 * Asks the operator what became of a doubtful attempt. Asks again if the named run does not exist: after a typo, the build would
 * follow nothing. An adopted run gets the address that GitHub gives it.
 */
export async function askOperator(
  { input: { request, policy }, state, operator, recordEvent }: OpenBuild,
  { attempt, reason }: { attempt: number; reason: string },
): Promise<{ adopt: Run } | 'retry' | 'cancel'> {
  const { forge, repository } = request;
  let question = reason;
  for (let asked = 1; ; asked++) {
    // Listens before it records the question: somebody may read it in the record, and answer before the recording has returned.
    const instruction = operator.instruction();
    // After a reset, the question is a new one: this workflow run does not know the answer that the run before it got.
    const step = `${dispatchStep(attempt)}:attention:${workflowInfo().runId}${asked === 1 ? '' : `:${asked}`}`;
    const ask = () => recordEvent('build_needs_attention', step, { attempt, reason: question });
    await ask();
    state.phase = 'needs_attention';
    const instructed = await answerTo(ask, instruction);
    if (instructed === 'retry' || instructed === 'cancel') return instructed;
    const { run_id } = instructed.adopt;
    const run = await Promise.race([
      githubActivities(policy.request_timeout_ms).findRun({ forge, repository, run_id }),
      condition(() => operator.cancelledBy !== undefined),
    ]);
    if (run === undefined) return 'cancel';
    if (run) return { adopt: { run_id, run_url: run.run_url } };
    question = `${repository} has no run ${run_id}; ${reason}`;
  }
}

/** Waits for the operator's instruction. Until then, records the question again from time to time. */
async function answerTo(ask: () => Promise<unknown>, instruction: Promise<Instruction>): Promise<Instruction> {
  if (!patched('asks-again')) return instruction;
  let said: Instruction | undefined;
  void instruction.then((word) => {
    said = word;
  });
  let pause = ASK_AGAIN_MS;
  while (!(await condition(() => said !== undefined, pause))) {
    await ask();
    pause = Math.min(2 * pause, LONGEST_SILENCE_MS);
  }
  return said!;
}
