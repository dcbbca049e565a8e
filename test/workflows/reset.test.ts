import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('a workflow that an operator resets', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  it.each([
    ['the beginning', () => 4],
    ['just before the POST', (postScheduledBy: number) => postScheduledBy],
    ['just after it', (_: number, answerTaken: number) => answerTaken],
  ])('to %s sends no second POST and follows the run that there is', async (where, eventOf) => {
    const before = await world.github.oracle();
    const { json } = await world.trigger({ ref: `reset-${where.replaceAll(' ', '-')}`, inputs: { simulate: 'stuck' } });
    const following = await eventually(async () => {
      const build = await world.build(json.id);
      expect(build.events.at(-1)?.event_data).toMatchObject({ run_status: 'in_progress' });
      return build;
    });
    const workflowId = String(following.events[0]?.event_data?.workflow_id);
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
    await world.client.workflowService.resetWorkflowExecution({
      namespace: world.namespace,
      workflowExecution: { workflowId },
      reason: 'test',
      requestId: where,
      workflowTaskFinishEventId: eventOf(
        number(scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId),
        number(taken?.eventId),
      ) as never,
    });
    await world.github.control('POST', `/runs/${following.workflow_run_id}`, {
      status: 'completed',
      conclusion: 'success',
    });
    expect(await world.ended(json.id, 15_000)).toMatchObject({
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
});
