import type { TaskTypeRegistration } from './task-type.ts';

/**
 * Type name of the workflow that registers task types. Workers that cannot reach the database start it on the task queue of workflows: a
 * worker in Python does so when it starts.
 */
export const REGISTER_WORKFLOW = 'registerTaskTypes';

/** Type of the failure of a refused registration. Its message has one line per fault. */
export const REGISTRATION_REFUSED = 'RegistrationRefused';

/** Input of the workflow. */
export type RegistrationInput = TaskTypeRegistration;

/** Result of the workflow. */
export interface Registered {
  version: 1;
  /** The version of each registered type. */
  types: Array<{ name: string; version: string }>;
}
