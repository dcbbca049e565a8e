import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { CeleryException } from '../../contracts/celery/celery.ts';
import { REPLACEMENT_SIGNAL, type Replacement } from '../../contracts/tasks/python-workflow.ts';
import { taskWorkflowId } from '../../contracts/tasks/task-workflow.ts';
import type { TaskRequest } from '../../domain/tasks/task-request.ts';
import { temporalFault } from '../lifecycle/start-workflow.ts';

/**
 * Passes on what an open task became that replaced itself by a chain, a group or a chord (Celery's `Task.replace`). The
 * last task of that canvas has its id, and this message asks for that task.
 * @returns false if no open task has the id: then the message asks for a separate task.
 */
export function replaceTask(
  { client }: { client: Client },
  taskId: string,
  nesting: number,
  { name, args, kwargs, queue = '', softLimitMs, hardLimitMs, eta, message }: TaskRequest,
): Promise<boolean> {
  const limits = { soft_limit_ms: softLimitMs ?? null, hard_limit_ms: hardLimitMs ?? null };
  const canvas = message && { headers: message.headers, embed: message.embed };
  const work = { ...{ name, args, kwargs, queue, retries: 0 }, ...limits, ...canvas };
  return signal(client, taskId, { nesting, becomes: { kind: 'work', work, eta: eta?.toISOString() ?? null } });
}

/** How the replacement of a task ended instead of coming. */
export type EndInstead =
  | { status: 'SUCCESS' }
  | { status: 'FAILURE' | 'REVOKED'; exception: CeleryException; traceback?: string | null };

/** Ends a task that waits for a replacement which never comes. @returns false if no open task has the id. */
export function endReplaced(
  { client }: { client: Client },
  taskId: string,
  nesting: number,
  end: EndInstead,
): Promise<boolean> {
  return signal(client, taskId, { nesting, becomes: becomesOf(end) });
}

/** How a task ends that was to become one of another runtime: its workflow leads work in Python only. */
export function notInPython(taskId: string, name: string): EndInstead {
  const exc_message = [`task ${taskId} cannot become ${name}, which is no task in Python`];
  return { status: 'FAILURE', exception: { exc_type: 'NotImplementedError', exc_module: 'builtins', exc_message } };
}

function becomesOf(end: EndInstead): Replacement['becomes'] {
  if (end.status === 'REVOKED') return { kind: 'revoked' };
  const { exc_type, exc_module, exc_message } =
    end.status === 'FAILURE' ? end.exception : { exc_type: 'RuntimeError', exc_module: 'builtins', exc_message: [] };
  const message = exc_message.map(String).join(', ');
  const traceback = end.status === 'FAILURE' ? (end.traceback ?? null) : null;
  return { kind: 'failed', error: { type: exc_type, module: exc_module, args: exc_message, message, traceback } };
}

/** @throws {Refusal} if Temporal is away. */
async function signal(client: Client, taskId: string, replacement: Replacement): Promise<boolean> {
  try {
    await client.workflow.getHandle(taskWorkflowId(taskId)).signal<[Replacement]>(REPLACEMENT_SIGNAL, replacement);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw temporalFault(error);
  }
}
