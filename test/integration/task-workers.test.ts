import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('a queue that no worker serves', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { WORKER_QUEUES: 'workflows,content:2' },
      { process_content: async () => ({ embed: 'completed' }) },
    );
  });
  afterAll(() => world.close());

  const ask = async (body: object) => (await world.call('POST', '/tasks', body)).json.task_id as string;
  const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;

  it('keeps its tasks, shows them, and holds up no other queue', async () => {
    const waiting = await ask({ name: 'semantic_search', args: ['a'] });
    const done = await ask({ name: 'process_content', args: ['c', ['embed']] });
    await eventually(async () => expect((await get(done)).status).toBe('SUCCESS'));
    expect(await get(waiting)).toMatchObject({ status: 'PENDING', received_at: expect.any(String), started_at: null });
    const queues = (await world.call('GET', '/queues')).json;
    const queue = (name: string) => queues.find((one: { name: string }) => one.name === name);
    expect(queue('search')).toMatchObject({ depth: 1, in_flight: 0, pollers: 0 });
    expect(queue('content')).toMatchObject({ depth: 0, pollers: 1 });
    const workers = (await world.call('GET', '/workers')).json;
    expect(workers.map((worker: { queue: string }) => worker.queue)).toEqual(['workflows', 'content']);
  });

  it('lets a task expire that none took in time, and one that is revoked go', async () => {
    const expired = await ask({ name: 'semantic_search', args: ['b'], expires: 0.4 });
    await eventually(async () => expect(await get(expired)).toMatchObject({ status: 'REVOKED', reason: 'expired' }));
    const routed = await ask({ name: 'process_content', args: ['c', ['embed']], queue: 'search' });
    await world.call('POST', `/tasks/${routed}/cancel`, {});
    await eventually(async () => expect(await get(routed)).toMatchObject({ status: 'REVOKED', worker: null }));
  });
});
