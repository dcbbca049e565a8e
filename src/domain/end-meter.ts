import type { Build } from './builds/build.ts';
import type { Task } from './tasks/task.ts';

/** Counts builds and tasks that end. */
export interface EndMeter {
  /** Counts the end of a build, recorded now for the first time. */
  buildEnded(build: Build): void;
  /** Counts the end of a task, recorded now for the first time. */
  taskEnded(task: Task): void;
}
