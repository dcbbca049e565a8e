import postgres from 'postgres';
import { TELL_AGAIN_SIGNAL } from '../../src/contracts/builds/build-workflow.ts';
import { WORKFLOW_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { reconcileWorld } from '../integration/reconcile-world.ts';
import { eventually } from '../world/eventually.ts';
import { forget } from '../world/forget-workflow.ts';
import { setStreamBack } from '../world/set-back.ts';
import type { World } from '../world/world.ts';
import { inState, revoke } from './task-paths.ts';

/** Ways past losses: of Temporal, of the record, and of what an operator terminated. */
export const RECOVERY_PATHS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  'build-resumed-in-place-of-a-lost-workflow': async (world) => {
    const workflowId = await begun(world);
    await forget(world, workflowId);
    await reconcile(world);
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'task-resumed-in-place-of-a-lost-workflow': async (world) => {
    const workflowId = await waitingTask(world);
    await forget(world, workflowId);
    await reconcile(world);
    await revoke(world, 'waits');
    return workflowId;
  },
  'build-whose-record-was-set-back': async (world) => {
    const workflowId = await begun(world);
    const { events } = await world.build(1);
    const row = { ...(await rowOf(world, 'builds', 1)), last_seq: 1, last_hash: events[0]!.hash, status: 'queued' };
    await setStreamBack(world.databaseUrl, { table: 'builds', id: 1, events: 1, row });
    await tellAgain(world, workflowId);
    await eventually(async () => {
      const types = (await world.build(1)).events.map(({ event_type }) => event_type);
      if (!types.includes('build_recovered') || !types.includes('run_updated')) throw new Error(`only ${types}`);
    });
    await world.call('POST', '/builds/1/cancel', {});
    return workflowId;
  },
  'build-that-ends-while-it-is-recorded-again': async (world) => {
    const workflowId = await begun(world);
    const { workflow_run_id } = await world.build(1);
    const owner = postgres(world.databaseUrl, { max: 1, onnotice: () => {} });
    await owner.begin(async (tx) => {
      await tx`LOCK TABLE events IN ACCESS EXCLUSIVE MODE`;
      await tellAgain(world, workflowId);
      await world.github.force(workflow_run_id!, 'completed', 'success');
      await eventually(async () => {
        const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
        const hasHeard = events!.some(({ markerRecordedEventAttributes: marker }) =>
          Buffer.from(marker?.details?.['patch-data']?.payloads?.[0]?.data ?? []).includes('tells-behind'),
        );
        if (!hasHeard) throw new Error('the workflow has not heard of the end');
      });
    });
    await owner.end();
    await world.ended(1);
    return workflowId;
  },
  'build-redriven-whose-run-had-succeeded': async (world) => {
    const workflowId = await begun(world);
    await world.client.workflow.getHandle(workflowId).terminate('by hand');
    await reconcile(world);
    const { workflow_run_id } = await world.ended(1);
    await world.github.force(workflow_run_id!, 'completed', 'success');
    const { json } = await world.call('POST', '/dlq/build:1/redrive', {});
    await eventually(async () => {
      const { status } = await world.build(1);
      if (status !== 'success') throw new Error(`${status}: ${JSON.stringify(json)}`);
    });
    return workflowId;
  },
  'sweep-of-artifacts': (world) => swept(world, 'sweepArtifacts'),
  'checkpoint-of-the-log': (world) => swept(world, 'checkpoint'),
  'sweep-of-deliveries': (world) => swept(world, 'sweepDeliveries'),
  'sweep-of-what-expired': (world) => swept(world, 'sweepExpired'),
};

/** A build that is under way and does not end by itself. */
async function begun(world: World): Promise<string> {
  await world.trigger({ inputs: { simulate: 'stuck' } });
  const { events } = await eventually(async () => {
    const build = await world.build(1);
    if (!build.events.some(({ event_type }) => event_type === 'run_updated')) throw new Error('not under way yet');
    return build;
  });
  return String(events[0]!.event_data!.workflow_id);
}

/** A task that does not begin by itself. */
async function waitingTask(world: World): Promise<string> {
  const eta = '2099-01-01T00:00:00Z';
  await world.call('POST', '/tasks', { name: 'process_content', args: ['c', ['embed']], task_id: 'waits', eta });
  await inState(world, 'waits', 'PENDING');
  return taskWorkflowId('waits');
}

/** Until a comparison has found something and mended it. */
async function reconcile(world: World): Promise<void> {
  await eventually(async () => {
    const { lines } = await reconcileWorld(world);
    if (lines.at(-1) !== '1 differ, 0 could not be repaired') throw new Error(lines.join('; '));
  });
}

async function tellAgain(world: World, workflowId: string): Promise<void> {
  await world.client.workflow.getHandle(workflowId).signal(TELL_AGAIN_SIGNAL);
}

async function rowOf(world: World, table: string, id: number | string) {
  const [row] = await world.db`SELECT * FROM ${world.db(table)} WHERE id = ${id}`;
  return row!;
}

async function swept(world: World, workflow: string): Promise<string> {
  await world.client.workflow.start(workflow, { workflowId: workflow, taskQueue: WORKFLOW_TASK_QUEUE });
  return workflow;
}
