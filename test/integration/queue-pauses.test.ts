import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queues } from '../../src/contracts/tasks/queue.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('a paused queue', () => {
  let world: World;
  const begun: string[] = [];
  let finish = () => {};
  beforeAll(async () => {
    world = await openWorld('server', {}, {
      async semantic_search({ query }: { query: string }) {
        begun.push(query);
        if (query === 'long') await new Promise<void>((resolve) => (finish = resolve));
        return { query, results: [] };
      },
      async process_content() {
        return {};
      },
    } as never);
  });
  afterAll(() => world.close());

  const ask = (query: string) =>
    world.call('POST', '/tasks', { name: 'semantic_search', args: [query], task_id: query });
  const ended = async (id: string) => (await world.call('GET', `/tasks/${id}?wait=60`)).json;
  const search = async () =>
    queues.parse((await world.call('GET', '/queues')).json).find(({ name }) => name === 'search');
  /** Pauses the queue; returns when the worker says that it takes nothing from it. */
  async function pause() {
    const { status, json } = await world.call('POST', '/queues/search/pause');
    expect([status, json]).toEqual([200, { name: 'search', paused: { by: 'local', since: expect.any(String) } }]);
    await eventually(async () => expect(await served()).toEqual(['content', 'youtube']));
  }
  /** The queues that the worker takes tasks from, as it says itself. */
  async function served(): Promise<string[]> {
    const { json } = await world.call('GET', '/api/workers?refresh=true');
    const [worker] = Object.values(json as Record<string, { active_queues: Array<{ name: string }> }>);
    return worker?.active_queues.map(({ name }) => name).sort() ?? [];
  }

  it('begins nothing, lets what runs end, and accepts what is new; other queues go on', async () => {
    await ask('long');
    await eventually(() => expect(begun).toContain('long'));
    await pause();
    for (const query of ['a', 'b', 'c']) expect((await ask(query)).status).toBe(202);
    const other = await world.call('POST', '/tasks', { name: 'process_content', args: ['x', ['embed']] });
    expect((await ended(other.json.task_id)).status).toBe('SUCCESS');
    finish();
    expect((await ended('long')).status).toBe('SUCCESS');
    expect(begun).toEqual(['long']);
    expect(await search()).toMatchObject({ depth: 3, in_flight: 0, paused: { by: 'local' } });
  });

  it('stays paused for workers that start later, and goes on when it is resumed', async () => {
    await world.stopWorker();
    await world.startWorker();
    const other = await world.call('POST', '/tasks', { name: 'process_content', args: ['y', ['embed']] });
    expect((await ended(other.json.task_id)).status).toBe('SUCCESS');
    expect(begun).toEqual(['long']);
    // Pausing it again changes nothing, and nobody takes it over.
    await world.call('POST', '/queues/search/pause');
    const resumed = await world.call('POST', '/queues/search/resume');
    expect([resumed.status, resumed.json]).toEqual([200, { name: 'search', paused: null }]);
    for (const query of ['a', 'b', 'c']) expect((await ended(query)).status).toBe('SUCCESS');
    expect(begun.toSorted()).toEqual(['a', 'b', 'c', 'long']);
    expect(await search()).toMatchObject({ depth: 0, paused: null });
    const changes = await world.db<Array<{ paused: boolean; changed_by: string }>>`
      SELECT paused, changed_by FROM queue_pauses ORDER BY position`;
    expect([...changes]).toEqual([
      { paused: true, changed_by: 'local' },
      { paused: false, changed_by: 'local' },
    ]);
    await expect(world.db`DELETE FROM queue_pauses`).rejects.toThrow();
  });

  it.each(['builds', 'workflows', 'nothing'])('%s cannot be one', async (name) => {
    expect((await world.call('POST', `/queues/${name}/pause`)).status).toBe(
      ['builds', 'callbacks', 'workflows'].includes(name) ? 400 : 404,
    );
  });

  it('is not made by a page of another site', async () => {
    const { status } = await world.call('POST', '/queues/search/pause', undefined, { origin: 'https://evil.example' });
    expect(status).toBe(403);
    expect(await search()).toMatchObject({ paused: null });
  });
});
