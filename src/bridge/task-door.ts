import type { TaskMessage } from '../contracts/celery/celery.ts';

/** How tasks are started and stopped. */
export interface TaskDoor {
  /**
   * Starts a task; the same id again starts nothing. Returns once Temporal has it.
   * @param id undefined where the task has the id of what it is about.
   * @param answered whether anybody is to be told of its end.
   * @throws {Refused} where it cannot be a task. @throws {Unavailable} where it may become one later.
   */
  start(id: string | undefined, message: TaskMessage, answered: boolean): Promise<{ id: string; repeated: boolean }>;

  /** Stops a task, if there is one of this id that has not ended. @throws {Unavailable} */
  revoke(taskId: string, terminate: boolean): Promise<void>;
}

/** Thrown where something that is needed is away. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
