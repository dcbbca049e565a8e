import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('a workflow that an operator resets', () => {
  let world: World;
  const worked: string[] = [];
  beforeAll(async () => {
    world = await openWorld(
      'server',
      {},
      {
        async process_content({ content_id }) {
          worked.push(content_id);
          if (content_id === 'SUCCESS') return worked.length;
          throw new PermanentTaskError({ type: 'ValueError', message: 'never' });
        },
      },
    );
  });
  afterAll(() => world.close());

  const workflowIdOf = (build: BuildView) => String(build.events[0]?.event_data?.workflow_id);
  /** A build whose run goes on until it is told to end. */
  const stuck = async (ref: string): Promise<BuildView> => {
    const { json } = await world.trigger({ ref, inputs: { simulate: 'stuck' } });
    return eventually(async () => {
      const build = await world.build(json.id);
      expect(build.events.at(-1)?.event_data).toMatchObject({ run_status: 'in_progress' });
      return build;
    });
  };
  const reset = (workflowId: string, event: number) =>
    world.client.workflowService.resetWorkflowExecution({
      namespace: world.namespace,
      workflowExecution: { workflowId },
      reason: 'test',
      requestId: `${workflowId} ${event}`,
      workflowTaskFinishEventId: event as never,
    });

  it('and cancels at once still finds the run that was made before, and stops it', async () => {
    const following = await stuck('reset-and-cancelled');
    await world.stopWorker();
    await world.call('POST', `/builds/${following.id}/cancel`, {});
    await reset(workflowIdOf(following), 4);
    await world.startWorker();
    expect(await world.ended(following.id)).toMatchObject({ status: 'cancelled' });
    const run = (await world.github.runs()).find(({ id }) => id === following.workflow_run_id);
    expect(run).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
  });

  it('sends no second POST where the listing does not show the run yet: the record knows it', async () => {
    const before = await world.github.oracle();
    const following = await stuck('reset-behind-the-listing');
    await world.github.control('PUT', '/settings', { listing_lag_ms: 3_600_000 });
    try {
      await reset(workflowIdOf(following), 4);
      await world.github.control('POST', `/runs/${following.workflow_run_id}`, {
        status: 'completed',
        conclusion: 'success',
      });
      expect(await world.ended(following.id)).toMatchObject({ status: 'success', attempts: 1 });
    } finally {
      await world.github.control('PUT', '/settings', { listing_lag_ms: 0 });
    }
    const now = await world.github.oracle();
    expect(now.dispatch_requests - before.dispatch_requests).toBe(1);
  });

  it('after its end comes to the same end', async () => {
    const { json } = await world.trigger({ ref: 'reset-after-its-end' });
    const ended = await world.ended(json.id);
    const before = await world.github.oracle();
    const { runId } = await reset(workflowIdOf(ended), 4);
    const again = world.client.workflow.getHandle(workflowIdOf(ended), runId!);
    await eventually(async () => expect(await again.query('state')).toMatchObject({ phase: 'ended' }));
    expect(await world.build(ended.id)).toEqual(ended);
    expect((await world.github.oracle()).dispatch_requests).toBe(before.dispatch_requests);
  });

  it.each([
    ['the beginning', () => 4],
    ['just before the POST', (postScheduledBy: number) => postScheduledBy],
    ['just after it', (_: number, answerTaken: number) => answerTaken],
  ])('to %s sends no second POST and follows the run that there is', async (where, eventOf) => {
    const before = await world.github.oracle();
    const following = await stuck(`reset-${where.replaceAll(' ', '-')}`);
    const workflowId = workflowIdOf(following);
    const { events = [] } = await world.client.workflow.getHandle(workflowId).fetchHistory();
    const number = (value: unknown) => Number(value ?? 0);
    const scheduled = events!.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'dispatchRun',
    );
    const answered = events!.find(
      (event) =>
        number(event.activityTaskCompletedEventAttributes?.scheduledEventId) === number(scheduled?.eventId) &&
        event.activityTaskCompletedEventAttributes,
    );
    const taken = events!.find(
      (event) => event.workflowTaskCompletedEventAttributes && number(event.eventId) > number(answered?.eventId),
    );
    await reset(
      workflowId,
      eventOf(
        number(scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId),
        number(taken?.eventId),
      ),
    );
    await world.github.control('POST', `/runs/${following.workflow_run_id}`, {
      status: 'completed',
      conclusion: 'success',
    });
    expect(await world.ended(following.id)).toMatchObject({
      status: 'success',
      workflow_run_id: following.workflow_run_id,
      attempts: 1,
    });
    const now = await world.github.oracle();
    expect({ posts: now.dispatch_requests - before.dispatch_requests, runs: now.runs - before.runs }).toEqual({
      posts: 1,
      runs: 1,
    });
  });

  it.each(['SUCCESS', 'FAILURE'])(
    'to before the attempt at a task that ended with %s does no work again',
    async (status) => {
      const { json } = await world.call('POST', '/tasks', { name: 'process_content', args: [status, ['embed']] });
      const workflowId = taskWorkflowId(json.task_id);
      const recorded = () => world.call('GET', `/tasks/${json.task_id}/events`);
      const endOf = (runId?: string) =>
        world.client.workflow
          .getHandle(workflowId, runId)
          .result()
          .catch((error: Error) => String(error.cause));
      const end = await endOf();
      const before = await recorded();
      const { runId } = await reset(workflowId, 4);
      expect(await endOf(runId!)).toEqual(end);
      expect(worked.filter((content) => content === status)).toHaveLength(1);
      expect((await recorded()).json).toEqual(before.json);
      expect((await world.call('GET', `/tasks/${json.task_id}`)).json.status).toBe(status);
    },
  );
});
