import type { Registered, RegistrationInput } from '../../contracts/tasks/registration-workflow.ts';
import type { TaskInput } from '../../contracts/tasks/task-workflow.ts';

/** What workflows ask about task types. */
export interface TaskTypePort {
  /** Records what a worker serves. Fails for ever, with a line for each fault, where something of it is refused. */
  registerTaskTypes(registration: RegistrationInput): Promise<Registered>;
  /**
   * What a task runs under that was accepted before its type was registered. It is repeated until a worker registers the type.
   */
  awaitTaskType(
    task: Pick<TaskInput, 'name' | 'policy' | 'soft_limit_ms' | 'hard_limit_ms'>,
  ): Promise<Pick<TaskInput, 'runtime' | 'policy'>>;
}
