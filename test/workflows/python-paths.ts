import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { REPLACEMENT_SIGNAL, type Replacement } from '../../src/contracts/tasks/python-workflow.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { hasCelery } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import { startPythonWorker } from '../world/python-worker.ts';
import type { World } from '../world/world.ts';
import { inState, revoke } from './task-paths.ts';

/** Ways through the task workflow of tasks that a worker in Python runs. They need Python with Celery. */
export const PYTHON_PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  'task-in-python-retried-then-success': async (world) => {
    const id = await asked(world, 'survives');
    await inState(world, id, 'SUCCESS');
    return taskWorkflowId(id);
  },
  'task-in-python-failure': async (world) => {
    const id = await asked(world, 'raises', ['value']);
    await inState(world, id, 'FAILURE');
    return taskWorkflowId(id);
  },
  'task-in-python-revoked-while-it-works': async (world) => {
    const id = await asked(world, 'sleeps', [60]);
    await inState(world, id, 'STARTED');
    await revoke(world, id);
    return taskWorkflowId(id);
  },
  'task-in-python-expired': async (world) => {
    const id = await asked(world, 'nothing', [], { expires: 0.001 });
    await inState(world, id, 'REVOKED');
    return taskWorkflowId(id);
  },
  'task-in-python-replaced': async (world) => {
    const id = await asked(world, 'replaces_with', ['chain']);
    await inState(world, id, 'STARTED');
    // The message that the bridge would take: the last task of the chain has the id.
    const work = { name: 'features.nothing', args: [], kwargs: {}, queue: 'recorded', retries: 0 };
    const limits = { soft_limit_ms: null, hard_limit_ms: null };
    const becomes = { kind: 'work', work: { ...work, ...limits }, eta: null } as const;
    await world.client.workflow
      .getHandle(taskWorkflowId(id))
      .signal<[Replacement]>(REPLACEMENT_SIGNAL, { nesting: 1, becomes });
    await inState(world, id, 'SUCCESS');
    return taskWorkflowId(id);
  },
};

async function asked(world: World, name: string, args: unknown[] = [], options: object = {}): Promise<string> {
  if (!hasCelery()) throw new Error('there is no Python with Celery');
  const directory = await mkdtemp(join(tmpdir(), 'hapax-python-'));
  const environment = {
    ...{ BROKER: 'memory://', BACKEND: 'cache+memory://', QUEUE: 'recorded', TRACE: join(directory, 'trace') },
    ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: world.namespace },
  };
  await writeFile(environment.TRACE, '');
  const worker = await startPythonWorker({ program: 'hapax-worker', app: 'features', environment, directory });
  onTestFinished(async () => {
    await worker.stop();
    await rm(directory, { recursive: true });
  });
  return eventually(async () => {
    const { json } = await world.call('POST', '/tasks', { name: `features.${name}`, args, ...options });
    if (!json.task_id) throw new Error(JSON.stringify(json));
    return json.task_id;
  });
}
