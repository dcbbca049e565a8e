import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { REGISTRATION_REFUSED } from '../contracts/tasks/registration-workflow.ts';
import { taskTypeRegistration } from '../contracts/tasks/task-type.ts';
import { policyOfType, policyWithLimits } from '../domain/tasks/task-request.ts';
import { registrationFaults } from '../domain/tasks/task-types.ts';
import type { Db } from '../store/database.ts';
import { findLatestTaskType } from '../store/tasks/task-type-list.ts';
import { registerTaskTypes } from '../store/tasks/task-type-register.ts';
import type { TaskTypePort } from '../workflows/ports/task-types.ts';
import { NotYet } from './failures.ts';

function pauseBefore(attempt: number): number {
  return Math.min(500 * 2 ** Math.min(attempt - 1, 5), 5_000);
}

/** Returns the activities about task types. Input from a worker in another language is validated like any other. */
export function taskTypeActivities(db: Db): TaskTypePort {
  return {
    async registerTaskTypes(given) {
      const { data: registration, error } = taskTypeRegistration.safeParse(given);
      const faults = error
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
        : registrationFaults(registration);
      if (!registration || faults.length > 0) {
        throw ApplicationFailure.create({
          ...{ type: REGISTRATION_REFUSED, message: faults.join('\n'), nonRetryable: true, category: 'BENIGN' },
        });
      }
      return { version: 1, types: await registerTaskTypes(db, registration) };
    },
    async awaitTaskType({ name, policy, ...asked }) {
      const type = await findLatestTaskType(db, name);
      // Polls less and less often, since many may wait.
      if (!type)
        throw new NotYet(`no worker has registered the task ${name}`, pauseBefore(Context.current().info.attempt));
      return {
        ...(type.runtime === 'python' ? { runtime: 'python' as const } : {}),
        policy: policyWithLimits(policyOfType(policy, type), asked),
      };
    },
  };
}
