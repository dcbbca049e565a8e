import type { Registered, RegistrationInput } from '../contracts/tasks/registration-workflow.ts';
import { taskTypes } from './activities.ts';

/** Registers what a worker serves that cannot reach the database itself: one in another language, when it starts. */
export function registerTaskTypes(registration: RegistrationInput): Promise<Registered> {
  return taskTypes.registerTaskTypes(registration);
}
