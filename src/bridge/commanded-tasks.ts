import { Refusal } from '../commands/refusal.ts';
import { createTask, type TaskDependencies } from '../commands/tasks/create-task.ts';
import { revokeTask } from '../commands/tasks/revoke-task.ts';
import { LIMITS } from '../contracts/budgets.ts';
import type { RefusalCode } from '../contracts/celery/celery.ts';
import { taskId as idSchema } from '../contracts/tasks/task.ts';
import { Refused } from '../domain/celery/refused.ts';
import { type TaskDoor, Unavailable } from './task-door.ts';

/** AMQP's priorities go to 255, ours to 9. */
const HIGHEST_PRIORITY = 9;

/** Who asks for the tasks of messages: RabbitMQ let them in. */
const CALLER = 'amqp';

/** Tasks by the commands that requests over HTTP use. */
export function commandedTasks(deps: TaskDependencies): TaskDoor {
  return {
    async start(id, message, answered) {
      const { task: name, args, kwargs, priority, root_id, parent_id } = message;
      const created = await obeyed(() =>
        createTask(deps, {
          name,
          args,
          kwargs,
          taskId: id === undefined ? undefined : checkedId(id),
          priority: priority === null ? undefined : Math.min(priority, HIGHEST_PRIORITY),
          eta: dateOf(message.eta),
          expires: dateOf(message.expires),
          softLimitMs: limitMs(message.soft_time_limit_s),
          hardLimitMs: limitMs(message.time_limit_s),
          rootId: root_id ?? undefined,
          parentId: parent_id ?? undefined,
          caller: CALLER,
          source: 'amqp',
          awaitsReply: answered,
        }),
      );
      return { id: created.id, repeated: created.replayed };
    },

    async revoke(taskId, terminate) {
      const reason = terminate ? 'terminated' : 'revoked';
      await obeyed(() => revokeTask(deps, taskId, { by: CALLER, reason })).catch((error: unknown) => {
        // There is none of this id, or it has ended.
        if (!(error instanceof Refused)) throw error;
      });
    },
  };
}

function checkedId(id: string): string {
  const { success, error } = idSchema.safeParse(id);
  if (!success) throw new Refused('not_a_task', `id: ${error.issues[0]?.message}`);
  return id;
}

function dateOf(instant: string | null): Date | undefined {
  return instant === null ? undefined : new Date(instant);
}

function limitMs(seconds: number | null): number | undefined {
  if (seconds === null) return undefined;
  if (seconds <= LIMITS.tasks.limitSeconds) return seconds * 1_000;
  throw new Refused('invalid_arguments', `timelimit: ${seconds} s is more than ${LIMITS.tasks.limitSeconds} s`);
}

/** What a command comes to, in the bridge's terms. */
async function obeyed<Result>(command: () => Promise<Result>): Promise<Result> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.kind === 'unavailable') throw new Unavailable(error.message, { cause: error.cause });
    if (error.kind === 'request') throw new Refused(refusalCodeOf(error.code), error.message);
    throw error;
  }
}

function refusalCodeOf(code: Refusal['code']): RefusalCode {
  return code === 'unknown_task' || code === 'task_id_reused' ? code : 'invalid_arguments';
}
