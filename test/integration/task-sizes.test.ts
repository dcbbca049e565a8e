import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

const circular: unknown[] = [];
circular.push(circular);
const NOT_JSON: Record<string, unknown> = { circular, large: [1n], code: () => 1 };

let world: World;
beforeAll(async () => {
  world = await openWorld(
    'server',
    {},
    {
      semantic_search: async ({ query, limit }, context) => {
        if (query === 'progress') context.heartbeat('x'.repeat(limit * 10_000 + 1));
        return query in NOT_JSON ? NOT_JSON[query] : '中'.repeat(limit * 10_000);
      },
    },
  );
});
afterAll(() => world.close());

const ended = async (query: string, limit: number) => {
  const { json } = await world.call('POST', '/tasks', { name: 'semantic_search', args: [query, limit] });
  return eventually(async () => {
    const { json: task } = await world.call('GET', `/tasks/${json.task_id}`);
    expect(task.completed_at).toEqual(expect.any(String));
    return task;
  });
};

it('a result is measured in bytes, which Temporal counts, and the largest is carried', async () => {
  expect(await ended('wide', 63)).toMatchObject({ status: 'SUCCESS' });
  const message = 'the result has 2100002 bytes of JSON; 1900000 is the most';
  expect(await ended('wider', 70)).toMatchObject({ status: 'FAILURE', error: { type: 'ResultTooLarge', message } });
});

it.each(Object.keys(NOT_JSON))('a result that is no JSON (%s) fails the task, without a retry', async (query) => {
  const error = { type: 'ResultNotJson', message: expect.stringMatching(/^the result is not JSON: ./) };
  expect(await ended(query, 1)).toMatchObject({ status: 'FAILURE', error, retries: 0 });
});

it('progress that is too large fails the task, without a retry', async () => {
  const error = { type: 'ProgressTooLarge' };
  expect(await ended('progress', 10)).toMatchObject({ status: 'FAILURE', error, retries: 0 });
});
