import { onTestFinished } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { RetryableTaskError } from '../../src/domain/tasks/task-error.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver } from '../world/receiver.ts';
import type { World } from '../world/world.ts';

/** How many attempts one run of a workflow makes. */
export const OF_A_RUN = 100;

/** Work by its content id. Failures carry no stack, which would tell the directories of the machine. */
export const HANDLERS: Partial<TaskHandlers> = {
  async process_content({ content_id }, { attempt, heartbeat, signal }) {
    heartbeat({ attempt });
    if (content_id === 'endless') {
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    if (content_id === 'often' && attempt <= OF_A_RUN) {
      throw new RetryableTaskError({ type: 'Busy', message: 'not yet', counted: false, retryAfterMs: 0 });
    }
    if (content_id === 'fails' || (content_id === 'fails-at-first' && attempt < 3)) {
      const error = new RetryableTaskError({ type: 'ConnectionError', message: 'upstream 503', counted: attempt > 1 });
      delete error.stack;
      throw error;
    }
    return { embed: 'completed' };
  },
};

/** What the names of paths end in that were recorded since attempts record the success, at first behind a patch. */
export const RECORDED_BY_ATTEMPT = '-recorded-by-attempt';

/** The same without the patch. */
export const WITHOUT_PATCH = '-without-patch';

async function asked(world: World, content_id: string, options: object = {}): Promise<string> {
  const body = { name: 'process_content', args: [content_id, ['embed']], ...options };
  const { json } = await world.call('POST', '/tasks', body);
  return json.task_id;
}

export async function inState(world: World, id: string, status: string): Promise<void> {
  await eventually(async () => {
    const { json } = await world.call('GET', `/tasks/${id}`);
    if (json.status !== status) throw new Error(`task ${id} is ${json.status}`);
  });
}

export const revoke = (world: World, id: string) => world.call('POST', `/tasks/${id}/cancel`, {});

/** Ways through the task workflow. */
const PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  'task-success': async (world) => taskWorkflowId(await asked(world, 'c')),
  'task-that-calls-back': async (world) => {
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    return taskWorkflowId(await asked(world, 'c', { callback_url: receiver.url }));
  },
  'task-retried-then-success': async (world) => taskWorkflowId(await asked(world, 'fails-at-first')),
  'task-failure': async (world) => taskWorkflowId(await asked(world, 'fails')),
  'task-expired': async (world) => taskWorkflowId(await asked(world, 'c', { expires: 0.001 })),
  'task-revoked-while-it-waits': async (world) => {
    const id = await asked(world, 'c', { eta: '2099-01-01T00:00:00Z' });
    await revoke(world, id);
    return taskWorkflowId(id);
  },
  'task-revoked-while-it-works': async (world) => {
    const id = await asked(world, 'endless');
    await inState(world, id, 'STARTED');
    await revoke(world, id);
    return taskWorkflowId(id);
  },
  'task-redriven': async (world) => {
    const id = await asked(world, 'fails');
    await inState(world, id, 'FAILURE');
    await eventually(async () => {
      const { status } = await world.call('POST', `/dlq/task:${id}/redrive`, {});
      if (status !== 202) throw new Error(`redrive answers ${status}`);
    });
    return taskWorkflowId(id);
  },
};

/** All of them, in each form of the workflow, and the last run of a task that went on in another run. */
export const TASK_PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  ...Object.fromEntries(
    ['', RECORDED_BY_ATTEMPT, WITHOUT_PATCH].flatMap((form) =>
      Object.entries(PATHS).map(([name, path]) => [`${name}${form}`, path]),
    ),
  ),
  'task-continued': async (world) => {
    const id = await asked(world, 'often');
    await inState(world, id, 'SUCCESS');
    return taskWorkflowId(id);
  },
};
