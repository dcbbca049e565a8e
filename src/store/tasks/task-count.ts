import type { Db } from '../database.ts';
import { type Count, countMatching } from '../list-window.ts';
import { type TaskFilter, taskSelection } from './task-list.ts';

/** How many tasks match, counted up to a bound. */
export function countTasks(db: Db, filter: Omit<TaskFilter, 'limit' | 'after'>): Promise<Count> {
  return countMatching(db, 'tasks', taskSelection(db, filter));
}
