import type { Db } from '../database.ts';
import { type Count, countMatching } from '../list-window.ts';
import { type TaskFilter, taskSelection } from './task-list.ts';

/** Counts the tasks that match, up to a bound. */
export function countTasks(db: Db, filter: Omit<TaskFilter, 'limit' | 'after'>): Promise<Count> {
  return countMatching(db, 'tasks', taskSelection(db, filter));
}
