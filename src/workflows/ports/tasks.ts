import type { TaskName } from '../../contracts/tasks/task-queues.ts';

/** What workflows ask of the workers of a queue. */
export interface TaskPort {
  /**
   * Does the work of a task once. Fails with what the workflow has to know: whether another attempt may help, and when. A
   * lost worker and a database that is away are repeated by Temporal, without the workflow.
   */
  runTask(request: {
    task_id: string;
    name: TaskName;
    /** As they were given; they are read as the signature of the task says. */
    args: unknown[];
    kwargs: Record<string, unknown>;
    /** Which attempt this is, from 1, since the task was begun or begun again. */
    attempt: number;
    /** Tells the attempts of one redrive from those before. */
    step: string;
    /** After so many milliseconds it is asked to stop, and not waited for any longer. */
    soft_limit_ms: number;
    hard_limit_ms: number;
    /** Until when the task may begin, ISO 8601, where it has not begun yet; left out for ever. */
    begin_by?: string;
    /** What the attempt before told last of how far it was. */
    progress?: unknown;
  }): Promise<{ result: unknown }>;
}
