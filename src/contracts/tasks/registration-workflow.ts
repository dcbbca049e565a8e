import type { TaskTypeRegistration } from './task-type.ts';

/**
 * Type name of the workflow that registers task types. Workers that cannot reach the database start it on the task queue of
 * workflows: one in Python does when it starts.
 */
export const REGISTER_WORKFLOW = 'registerTaskTypes';

/** Type of the failure where something of a registration is refused; its message has one line per fault. */
export const REGISTRATION_REFUSED = 'RegistrationRefused';

/** Input of the workflow. */
export type RegistrationInput = TaskTypeRegistration;

/** What the workflow returns. */
export interface Registered {
  version: 1;
  /** The version of each type that was registered. */
  types: Array<{ name: string; version: string }>;
}
