import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildView } from '../../src/contracts/builds/build.ts';
import { taskView } from '../../src/contracts/tasks/task.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('waiting for an end', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { TEMPORAL_UI_URL: 'https://temporal.example.com/ui/' });
  });
  afterAll(() => world.close());

  /** A build that does not end by itself. */
  async function stuck(ref: string) {
    const { json } = await world.trigger({ ref, inputs: { simulate: 'stuck' } });
    await eventually(async () => expect((await world.build(json.id)).workflow_run_id).toEqual(expect.anything()));
    return { id: json.id as number, cancel: () => world.call('POST', `/builds/${json.id}/cancel`, {}) };
  }

  async function timed<T>(work: Promise<T>) {
    const since = performance.now();
    const result = await work;
    return { result, ms: performance.now() - since };
  }

  it('answers when the build ends, with all its events', async () => {
    const { id, cancel } = await stuck('waited-for');
    const waiting = Array.from({ length: 20 }, () => timed(world.call('GET', `/builds/${id}?wait=60`)));
    await cancel();
    for (const { result, ms } of await Promise.all(waiting)) {
      const build = buildView.parse(result.json);
      expect([result.status, build.status]).toEqual([200, 'cancelled']);
      expect(build.events.at(-1)?.to_status).toBe('cancelled');
      expect(ms).toBeLessThan(50_000);
    }
    const again = await timed(world.call('GET', `/builds/${id}?wait=60`));
    expect(again.result.json.status).toBe('cancelled');
    expect(again.ms).toBeLessThan(20_000);
  });

  it('answers with the present state when the API closes, which ends the streams of API and console too', async () => {
    const { id, cancel } = await stuck('closed-upon');
    const api = await startAnotherApi(world);
    const accept = { accept: 'text/event-stream' };
    const streams = await Promise.all([
      fetch(`${api.url}/events`, { headers: accept }),
      fetch(`${api.url}/builds/${id}/events`, { headers: accept }),
      fetch(`${api.url}/console/changes?of=tick&since=0`),
    ]);
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const waiting = Array.from({ length: 20 }, () => api.call('GET', `/builds/${id}?wait=60`));
    await eventually(() => expect(timers() - before).toBeGreaterThanOrEqual(20));
    const { ms } = await timed(api.close());
    expect(ms).toBeLessThan(4_000);
    for (const { status, json } of await Promise.all(waiting))
      expect([status, json.status]).toEqual([200, 'in_progress']);
    await Promise.all(streams.map((stream) => stream.text()));
    await cancel();
    await world.ended(id);
  });

  it('answers with the present state when the time is over, and leaves nothing for a client that went away', async () => {
    const { id, cancel } = await stuck('not-waited-for');
    const { result, ms } = await timed(world.call('GET', `/builds/${id}?wait=1`));
    expect([result.status, result.json.status]).toEqual([200, 'in_progress']);
    expect(ms).toBeGreaterThan(990);
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const clients = Array.from({ length: 50 }, () => new AbortController());
    const gone = clients.map(({ signal }) =>
      fetch(`${world.url}/builds/${id}?wait=60`, { signal }).catch(() => 'gone'),
    );
    await eventually(() => expect(timers() - before).toBeGreaterThanOrEqual(50));
    for (const client of clients) client.abort();
    expect(new Set(await Promise.all(gone))).toEqual(new Set(['gone']));
    await eventually(() => expect(timers() - before).toBeLessThan(10));
    await cancel();
    await world.ended(id);
  });

  it('answers when a task ends', async () => {
    const { json } = await world.call('POST', '/tasks', { name: 'semantic_search', args: ['anything'] });
    const { status, json: task } = await world.call('GET', `/tasks/${json.task_id}?wait=60`);
    expect([status, taskView.parse(task).status]).toEqual([200, 'SUCCESS']);
    expect(task.result).toMatchObject({ query: 'anything' });
  });

  it('leads from a build and a task to their run, events, proof and workflow', async () => {
    const { json } = await world.trigger({ ref: 'linked' });
    const build = await world.ended(json.id);
    const { namespace } = world;
    expect(build.links).toEqual({
      self: `/builds/${build.id}`,
      events: `/builds/${build.id}/events`,
      verify: `/builds/${build.id}/verify`,
      run: build.run_url,
      workflow: `https://temporal.example.com/ui/namespaces/${namespace}/workflows/${build.workflow_id}`,
    });
    for (const path of [build.links.self, build.links.events, build.links.verify]) {
      expect((await world.call('GET', path)).status).toBe(200);
    }
    await world.client.workflow.getHandle(build.workflow_id).describe();
    const id = 'a/b c';
    await world.call('POST', '/tasks', { name: 'semantic_search', args: ['x'], task_id: id });
    const task = taskView.parse((await world.call('GET', `/tasks/${encodeURIComponent(id)}?wait=60`)).json);
    expect(task.links.workflow).toBe(
      `https://temporal.example.com/ui/namespaces/${namespace}/workflows/task-a%2Fb%20c`,
    );
    for (const path of [task.links.self, task.links.events]) expect((await world.call('GET', path)).status).toBe(200);
    await world.client.workflow.getHandle(task.workflow_id).describe();
  });

  it.each(['/builds/1?wait=61', '/builds/1?wait=-1', '/builds/1?wait=soon', '/tasks/x?wait=1.5'])(
    'refuses %s',
    async (path) => {
      const { status, json } = await world.call('GET', path);
      expect([status, json.errors[0].path]).toEqual([400, 'query.wait']);
    },
  );

  it('refuses to wait in the past, and for what does not exist', async () => {
    for (const path of ['/builds/1', '/tasks/x']) {
      const { status, json } = await world.call('GET', `${path}?wait=1&at=2026-11-21T10:00:00Z`);
      expect([status, json.errors]).toEqual([
        400,
        [{ path: 'query.wait', message: 'cannot be combined with at: the past does not change' }],
      ]);
    }
    expect((await world.call('GET', '/builds/999999?wait=60')).status).toBe(404);
    expect((await world.call('GET', '/tasks/nobody?wait=60')).status).toBe(404);
  });
});
