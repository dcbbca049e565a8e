import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Settings } from '../contracts/settings.ts';
import { WORKFLOW_TASK_QUEUE } from '../contracts/tasks/task-queues.ts';
import type * as workflows from '../workflows/index.ts';
import { makesCheckpoints } from './checkpoints.ts';

interface Sweep {
  workflow: keyof typeof workflows;
  every: '1m' | '5m' | '1h';
}

/** Recurring work by the id of its schedule, which is also the id of its workflows. Says whether given settings need it. */
const SWEEPS: Record<string, Sweep & { isWanted(settings: Settings): boolean }> = {
  'hapax-sweep-expired': { workflow: 'sweepExpired', every: '1h', isWanted: () => true },
  'hapax-artifacts': { workflow: 'sweepArtifacts', every: '1m', isWanted: () => true },
  'hapax-checkpoint': { workflow: 'checkpoint', every: '1m', isWanted: makesCheckpoints },
  'hapax-sweep-deliveries': {
    workflow: 'sweepDeliveries',
    every: '5m',
    isWanted: ({ GITHUB_WEBHOOK_SECRET = [] }) => GITHUB_WEBHOOK_SECRET.length > 0,
  },
};

/**
 * Creates Temporal's schedules of recurring work, or updates those of an earlier version. Deletes those that the settings no longer
 * need. The hourly reconciliation is not one of them: it repairs what a Temporal that lost its data has forgotten, including schedules.
 */
export async function applySchedules(client: Client, settings: Settings): Promise<void> {
  for (const [id, sweep] of Object.entries(SWEEPS)) {
    await (sweep.isWanted(settings) ? applySchedule(client, id, sweep) : deleteSchedule(client, id));
  }
}

async function deleteSchedule({ schedule }: Client, id: string): Promise<void> {
  try {
    await schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

async function applySchedule({ schedule }: Client, scheduleId: string, { workflow, every }: Sweep): Promise<void> {
  const wanted = {
    spec: { intervals: [{ every }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' as const },
    action: {
      type: 'startWorkflow' as const,
      workflowType: workflow as string,
      workflowId: scheduleId,
      taskQueue: WORKFLOW_TASK_QUEUE,
    },
  };
  try {
    await schedule.create({ scheduleId, ...wanted });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    // If an operator has paused it, it stays paused.
    await schedule.getHandle(scheduleId).update(({ state }) => ({ ...wanted, state }));
  }
}
