import type { Registered, RegistrationInput } from '../../contracts/tasks/registration-workflow.ts';
import type { TaskInput } from '../../contracts/tasks/task-workflow.ts';

/** Activities about task types. */
export interface TaskTypePort {
  /** Records the task types that a worker serves. Fails for good, with a line for each fault, if any of them is refused. */
  registerTaskTypes(registration: RegistrationInput): Promise<Registered>;
  /**
   * Returns the runtime and policy of a task that was accepted before its type was registered. It is retried until a worker registers
   * the type.
   */
  awaitTaskType(
    task: Pick<TaskInput, 'name' | 'policy' | 'soft_limit_ms' | 'hard_limit_ms'>,
  ): Promise<Pick<TaskInput, 'runtime' | 'policy'>>;
}
