import type { Registered, RegistrationInput } from '../../contracts/tasks/registration-workflow.ts';

/** What workflows ask about task types. */
export interface TaskTypePort {
  /** Records what a worker serves. Fails for ever, with a line for each fault, where something of it is refused. */
  registerTaskTypes(registration: RegistrationInput): Promise<Registered>;
}
