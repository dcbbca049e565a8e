import { allHandlersFinished, condition, continueAsNew, patched, workflowInfo } from '@temporalio/workflow';
import type { Continued, TaskInput } from '../../contracts/tasks/task-workflow.ts';
import type { taskRun } from './task.ts';

/**
 * How many attempts one run of the workflow makes. Temporal allows it 51,200 events, 10,000 signals and 2,000 updates. An attempt
 * takes about 12 events, and on a Python worker an update for each worker that it loses.
 */
const ATTEMPTS = 100;

/** Temporal refuses an input of 2 MB. */
const MAX_INPUT_BYTES = 1_900_000;

/** Says whether the next attempt belongs to another run of the workflow. @param made how many attempts this run has made. */
export function isLongRun(made: number): boolean {
  return (workflowInfo().continueAsNewSuggested || made >= ATTEMPTS) && patched('continues-as-new');
}

/**
 * Goes on in another run of the workflow. Returns if this run has to go on: the task was revoked meanwhile, or the input of
 * another run would be too large.
 */
export async function continueInNextRun(
  input: TaskInput,
  continued: () => Continued,
  isRevoked: () => boolean,
): Promise<void> {
  await condition(allHandlersFinished);
  const { unregistered: _, ...known } = input;
  const next: TaskInput = { ...known, continued: continued() };
  if (!isRevoked() && mostBytes(next) <= MAX_INPUT_BYTES) await continueAsNew<typeof taskRun>(next);
}

/** Returns how many bytes a value takes at most as JSON: each character that is not in ASCII counts as three. */
function mostBytes(value: unknown): number {
  const text = JSON.stringify(value);
  return text.length + 2 * text.replace(/[ -~]/g, '').length;
}
