import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { Redrive, TaskInput } from '../../contracts/tasks/task-workflow.ts';
import {
  taskEndLostEvent,
  taskQueuedEvent,
  taskRecoveredEvent,
  taskRedrivenEvent,
} from '../../domain/record/first-events.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { listOwed } from '../../store/celery/owed-list-by-task.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { TASKS, taskStream } from '../../store/tasks/task-stream.ts';
import { beginAnswer, beginCallbacks } from '../callbacks/begin-telling.ts';
import { taskInputAgain } from '../tasks/redrive-task.ts';
import { startTask } from '../tasks/start-task.ts';
import type { Ended, Outcome, ReconcileDependencies } from './reconcile.ts';
import { type Execution, inputOfExecution } from './workflows.ts';

/** Starts a workflow in place of the lost one of an open task. Its work begins again, as after a lost worker. */
export async function resumeTask(deps: ReconcileDependencies, id: string, detail: string): Promise<Outcome> {
  const found = await findStream(deps.db, TASKS, id);
  if (!found || found.state.completed_at !== null) return 'agrees';
  const recovery = { id: randomUUID(), at: new Date().toISOString(), detail };
  const input = { ...(await taskInputAgain(deps, found.state)), ...lifeOf(found.state, found.events), recovery };
  if (!(await startTask(deps, input, 'ALLOW_DUPLICATE'))) return 'unknown';
  await appendEvent(deps.db, TASKS, id, taskRecoveredEvent(recovery));
  return 'resumed';
}

/** How the task was begun last: for the first time, with what it waits for, or once more. */
function lifeOf({ eta, expires }: Task, events: RecordedEvent[]): Partial<TaskInput> {
  const redriven = events.findLast(({ type }) => type === 'task_redriven');
  if (!redriven) return { eta, expires };
  const { redrive, by, redrive_id } = redriven.data as unknown as Omit<Redrive, 'at'>;
  return { redrive: { redrive, by, redrive_id, at: redriven.occurred_at } };
}

/** Records the end of an open task whose workflow has ended. */
export async function endTaskAs(deps: ReconcileDependencies, id: string, ended: Ended): Promise<Outcome> {
  const { db, client } = deps;
  const found = await findStream(db, TASKS, id);
  if (!found || found.state.completed_at !== null) return 'agrees';
  if (ended.state === 'COMPLETED' && ended.result === null) {
    return resumeTask(deps, id, 'its workflow had ended without leading it to its end');
  }
  const { redrives, attempts } = found.state;
  const step = `unled:${redrives}:`;
  const ending = `${step}ended`;
  const subject = taskStream(id);
  await beginCallbacks({ client, db }, { subject, ending });
  if ((await listOwed(db, id)).length > 0) await beginAnswer(client, { task_id: id, ending });
  const occurred_at = new Date().toISOString();
  const append = (dedupe_key: string, event: Pick<TaskEvent, 'type' | 'data'>) =>
    appendEvent(db, TASKS, id, { ...event, occurred_at, dedupe_key } as TaskEvent);
  const { event, detail } = endOf(ended);
  await append(`${step}recovered`, {
    type: 'task_recovered',
    data: { reason: 'workflow_ended', by: 'reconciliation', detail },
  });
  await append(ending, event);
  if (event.type !== 'task_failed') return 'ended';
  await append(`${step}dead_lettered`, { type: 'task_dead_lettered', data: { reason: detail, attempts } });
  return 'dead_lettered';
}

const REASONS = ['revoked', 'terminated', 'expired'] as const;

function endOf({ state, result, reason = '', type }: Ended): {
  event: Pick<Extract<TaskEvent, { type: 'task_succeeded' | 'task_revoked' | 'task_failed' }>, 'type' | 'data'>;
  detail: string;
} {
  const lost = 'the record had lost its end';
  if (state === 'COMPLETED') return { event: { type: 'task_succeeded', data: { result } }, detail: lost };
  const revoked = REASONS.find((word) => word === reason);
  if (type === 'TaskRevokedError' && revoked) {
    return { event: { type: 'task_revoked', data: { reason: revoked, by: 'workflow' } }, detail: lost };
  }
  const ownFailure = state === 'FAILED' && type !== undefined;
  const error = {
    type: ownFailure ? type : 'WorkflowEnded',
    message: ownFailure ? reason : `the workflow of the task was ${state.toLowerCase()}${reason ? ` (${reason})` : ''}`,
    traceback: null,
  };
  return { event: { type: 'task_failed', data: { error } }, detail: `${error.type}: ${error.message}` };
}

/** Brings back into the record what it lost of a task that has ended since. */
export async function restoreTask(
  deps: ReconcileDependencies,
  execution: Execution,
  ended: () => Promise<Ended>,
): Promise<Outcome> {
  const input = (await inputOfExecution(deps.client, execution)) as TaskInput;
  const { task_id: id, workflow_id, created_at, redrive } = input;
  const append = (event: TaskEvent) => appendEvent(deps.db, TASKS, id, event, { owner: { workflow_id, created_at } });
  await append(taskQueuedEvent(input));
  if (redrive) {
    const redriven = taskRedrivenEvent(input, redrive);
    try {
      await append(redriven);
    } catch (error) {
      if (!(error instanceof IllegalEvent)) throw error;
      const told = { occurred_at: new Date().toISOString(), dedupe_key: `recovered:${execution.run_id}:before` };
      await append(taskEndLostEvent({ by: 'reconciliation', ...told }));
      await append(redriven);
    }
  }
  const outcome = await endTaskAs(deps, id, await ended());
  return outcome === 'ended' ? 'restored' : outcome;
}
