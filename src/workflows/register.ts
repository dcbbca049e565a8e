import type { Registered, RegistrationInput } from '../contracts/tasks/registration-workflow.ts';
import { taskTypes } from './activities.ts';

/** Registers the task types of a worker that cannot reach the database itself: a worker in another language, when it starts. */
export function registerTaskTypes(registration: RegistrationInput): Promise<Registered> {
  return taskTypes.registerTaskTypes(registration);
}
