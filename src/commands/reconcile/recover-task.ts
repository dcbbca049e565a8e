import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { Redrive, TaskInput } from '../../contracts/tasks/task-workflow.ts';
import { taskEndLostEvent, taskRecoveredEvent, taskRedrivenEvent } from '../../domain/record/first-events.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { taskInputAgain } from '../tasks/redrive-task.ts';
import { TASK } from '../tasks/task-kind.ts';
import type { Recoverable } from './recover.ts';

const REASONS = ['revoked', 'terminated', 'expired'] as const;
const LOST = { detail: 'the record had lost its end', isDeadLetter: false };

/** How tasks are recovered. */
export const RECOVERABLE_TASK: Recoverable<Task, TaskEvent, TaskInput> = {
  ...TASK,
  idFrom: String,
  inputInPlace: async (deps, task, events, recovery) => ({
    ...(await taskInputAgain(deps, task)),
    ...lastStartOf(task, events),
    recovery,
  }),
  recoveredEvent: taskRecoveredEvent,
  endOf({ state, result, ledElsewhere, reason = '', type }) {
    if (state === 'COMPLETED') {
      return ledElsewhere ? undefined : { event: { type: 'task_succeeded', data: { result } }, ...LOST };
    }
    const revoked = REASONS.find((word) => word === reason);
    if (type === 'TaskRevokedError' && revoked) {
      return { event: { type: 'task_revoked', data: { reason: revoked, by: 'workflow' } }, ...LOST };
    }
    const ended = `the workflow of the task was ${state.toLowerCase()}${reason ? ` (${reason})` : ''}`;
    const failed =
      state === 'FAILED' && type !== undefined ? { type, message: reason } : { type: 'WorkflowEnded', message: ended };
    const error = { ...failed, traceback: null };
    return {
      event: { type: 'task_failed', data: { error } },
      detail: `${error.type}: ${error.message}`,
      isDeadLetter: true,
    };
  },
  lifeOf: ({ redrives }) => redrives,
  endKey: 'ended',
  attemptsOf: ({ attempts }) => attempts,
  restartEvent: (input) => input.redrive && taskRedrivenEvent(input, input.redrive),
  endLostEvent: (_, lost) => taskEndLostEvent(lost),
};

/** Returns how the task was last begun: for the first time, with its eta and expiry, or by a redrive. */
function lastStartOf({ eta, expires }: Task, events: RecordedEvent[]): Partial<TaskInput> {
  const redriven = events.findLast(({ type }) => type === 'task_redriven');
  if (!redriven) return { eta, expires };
  const { redrive, by, redrive_id } = redriven.data as unknown as Omit<Redrive, 'at'>;
  return { redrive: { redrive, by, redrive_id, at: redriven.occurred_at } };
}
