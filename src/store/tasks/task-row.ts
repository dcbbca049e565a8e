import type { ChainHead } from '../../domain/record/hash.ts';
import type { Task } from '../../domain/tasks/task.ts';

/** A row of the table `tasks`. */
export interface TaskRow extends Task {
  last_seq: number;
  last_hash: string;
}

/** Returns the state in a row of the projection, without the columns that only the store needs. */
export function taskFromRow(row: TaskRow): Task {
  const { last_seq: _seq, last_hash: _hash, ...task } = row;
  return task;
}

/** Returns the row of the projection for a state and the head of its stream. */
export function rowOfTask(task: Task, head: ChainHead): TaskRow {
  return { ...task, last_seq: head.seq, last_hash: head.hash };
}
