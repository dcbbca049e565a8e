import { type TaskEvent, taskEventData } from '../../contracts/tasks/task-event.ts';
import { evolveTask, type Task } from '../../domain/tasks/task.ts';
import { rowOfState, stateOfRow } from '../record/state-row.ts';
import { type StreamKind, streamOf } from '../record/stream-kind.ts';

/** Tasks: streams `task:<id>`, projected into the table `tasks`. */
export const TASKS: StreamKind<Task, TaskEvent> = {
  name: 'task',
  first: 'task_queued',
  data: taskEventData,
  evolve: evolveTask,
  table: 'tasks',
  rowOf: rowOfState,
  stateOf: stateOfRow,
};

/** Returns the name of a task's stream in the log. */
export function taskStream(id: string): string {
  return streamOf(TASKS, id);
}
