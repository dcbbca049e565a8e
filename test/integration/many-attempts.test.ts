import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { PermanentTaskError, RetryableTaskError } from '../../src/domain/tasks/task-error.ts';
import { OF_A_RUN } from '../workflows/task-paths.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver } from '../world/receiver.ts';
import { setStreamBack } from '../world/set-back.ts';
import { openWorld, type World } from '../world/world.ts';

/** Temporal ends a run with more events. */
const MOST_EVENTS = 51_200;

interface Plan {
  /** The attempt that succeeds; none does by default. */
  succeedsAt?: number;
  /** The attempt that fails for good. */
  failsAt?: number;
  /** Called before an attempt goes on. */
  before?(attempt: number, signal: AbortSignal): Promise<void> | undefined;
}

describe('a task with more attempts than one run of a workflow makes', () => {
  let world: World;
  const plans = new Map<string, Plan>();
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' },
      {
        async process_content({ content_id }, { attempt, signal }) {
          const plan = plans.get(content_id)!;
          await plan.before?.(attempt, signal);
          if (attempt === plan.succeedsAt) return { attempt };
          if (attempt === plan.failsAt) throw new PermanentTaskError({ type: 'ValueError', message: 'never' });
          throw new RetryableTaskError({ type: 'Busy', message: 'not yet', counted: false, retryAfterMs: 0 });
        },
      },
    );
  });
  afterAll(() => world.close());

  async function send(content_id: string, plan: Plan, more: object = {}): Promise<string> {
    plans.set(content_id, plan);
    const body = { name: 'process_content', args: [content_id, ['embed']], ...more };
    return (await world.call('POST', '/tasks', body)).json.task_id;
  }
  const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
  const ended = (id: string, state: object) => eventually(async () => expect(await get(id)).toMatchObject(state));
  const eventsOf = (id: string) => world.db<Array<{ type: string; attempt: number | null }>>`
    SELECT type, (data ->> 'attempt')::integer AS attempt FROM events WHERE stream = ${`task:${id}`} ORDER BY seq`;
  const attemptsIn = async (id: string, type: string) =>
    (await eventsOf(id)).filter((event) => event.type === type).map(({ attempt }) => attempt);
  const begun = (id: string, attempt: number) =>
    eventually(async () => expect((await eventsOf(id)).at(-1)).toEqual({ type: 'task_started', attempt }));
  const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);
  /** The runs of its workflow, first started first. */
  async function runsOf(id: string, count: number) {
    const workflowId = taskWorkflowId(id);
    return eventually(async () => {
      const runs = [];
      for await (const run of world.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) runs.push(run);
      expect(runs.map(({ status }) => status.name)).toHaveLength(count);
      expect(runs.some(({ status }) => status.name === 'RUNNING')).toBe(false);
      return runs.sort((one, other) => one.startTime.getTime() - other.startTime.getTime());
    });
  }

  it('goes on in further runs, with each attempt recorded once', async () => {
    const last = OF_A_RUN + 5;
    const id = await send('often', { succeedsAt: last });
    await ended(id, { status: 'SUCCESS', result: { attempt: last } });
    expect(await attemptsIn(id, 'task_started')).toEqual(upTo(last));
    expect(await attemptsIn(id, 'task_retried')).toEqual(upTo(last - 1));
    const types = (await eventsOf(id)).map(({ type }) => type);
    expect(types.filter((type) => !/started|retried/.test(type))).toEqual([
      'task_queued',
      'task_received',
      'task_succeeded',
    ]);
    const runs = await runsOf(id, 2);
    expect(runs.map(({ status }) => status.name)).toEqual(['CONTINUED_AS_NEW', 'COMPLETED']);
    for (const { historyLength, memo, searchAttributes } of runs) {
      expect(historyLength).toBeLessThan(MOST_EVENTS / 10);
      expect(memo).toMatchObject({ task_id: id });
      expect(searchAttributes).toMatchObject({ HapaxTaskId: [id], HapaxTaskName: ['process_content'] });
    }
  });

  it('is called back about once, and redriven in the same way', async () => {
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    const plan: Plan = { failsAt: OF_A_RUN + 5 };
    const id = await send('redriven', plan, { callback_url: receiver.url });
    await ended(id, { status: 'FAILURE' });
    plans.set('redriven', { succeedsAt: OF_A_RUN + 7 });
    await eventually(async () => expect((await world.call('POST', `/dlq/task:${id}/redrive`, {})).status).toBe(202));
    await ended(id, { status: 'SUCCESS', redrives: 1 });
    expect(await attemptsIn(id, 'task_started')).toEqual([...upTo(OF_A_RUN + 5), ...upTo(OF_A_RUN + 7)]);
    await eventually(() => expect(receiver.received).toHaveLength(2));
    expect((await runsOf(id, 4)).map(({ status }) => status.name)).toEqual([
      'CONTINUED_AS_NEW',
      'FAILED',
      'CONTINUED_AS_NEW',
      'COMPLETED',
    ]);
  });

  it('is revoked in a later run', async () => {
    const last = OF_A_RUN + 3;
    const id = await send('revoked', {
      before: (attempt, signal) =>
        attempt < last
          ? undefined
          : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    await begun(id, last);
    expect((await world.call('POST', `/tasks/${id}/cancel`, {})).status).toBe(202);
    await ended(id, { status: 'REVOKED' });
  });

  it('says so in a later run if the record lost events of an earlier one', async () => {
    const [early, last] = [20, OF_A_RUN + 3];
    const gates = new Map([early, last].map((attempt) => [attempt, Promise.withResolvers<void>()]));
    const id = await send('set-back', { succeedsAt: last, before: (attempt) => gates.get(attempt)?.promise });
    await begun(id, early);
    const events = (await eventsOf(id)).length;
    const [row] = await world.db`SELECT * FROM tasks WHERE id = ${id}`;
    gates.get(early)!.resolve();
    await begun(id, last);
    await setStreamBack(world.databaseUrl, { table: 'tasks', id, events, row });
    gates.get(last)!.resolve();
    await ended(id, { status: 'SUCCESS' });
    const after = (await eventsOf(id)).slice(events).map(({ type }) => type);
    expect(after.filter((type) => type === 'task_recovered')).toHaveLength(1);
    expect(after.at(-1)).toBe('task_succeeded');
  });
});
