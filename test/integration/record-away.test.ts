import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { startAnotherApi, startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openWorld, type World } from '../world/world.ts';

describe('what is asked for of an API whose database is away, while the workers have theirs', () => {
  let world: World;
  /** How often each content was worked at. */
  const begun = new Map<string, number>();
  beforeAll(async () => {
    world = await openWorld(
      'server',
      {},
      {
        async process_content({ content_id }) {
          begun.set(content_id, (begun.get(content_id) ?? 0) + 1);
          return { embed: 'completed' };
        },
      },
    );
  });
  afterAll(() => world.close());

  const anotherApi = (databaseUrl: string) => startAnotherApi({ ...world, databaseUrl });
  const asked = (task_id: string) => ({ name: 'process_content', args: [task_id, ['embed']], task_id });
  const succeeds = (id: string) =>
    eventually(async () => expect((await world.call('GET', `/tasks/${id}`)).json).toMatchObject({ status: 'SUCCESS' }));

  it('is accepted where the database hangs: a task, the same again, a build', async () => {
    const url = new URL(world.databaseUrl);
    const proxy = await startFreezingProxy(Number(url.port));
    url.port = String(proxy.port);
    const api = await anotherApi(url.href);
    expect((await api.call('POST', '/tasks', asked('before'))).status).toBe(202);
    expect((await api.trigger({ ref: 'before' })).status).toBe(202);
    const failing = { ref: 'keyed', inputs: { simulate: 'failure' } };
    const keyed = (await api.trigger(failing, 'a-key')).json;
    const { events } = await world.ended(keyed.id);
    await world.client.workflow.getHandle(String(events[0]?.event_data?.workflow_id)).result();

    proxy.freeze();
    // Temporal knows the key after the end of its build, too.
    const same = await api.trigger(failing, 'a-key');
    expect([same.status, same.json]).toMatchObject([202, { id: keyed.id, message: 'Build already exists' }]);
    expect((await api.call('POST', '/tasks', asked('hangs'))).json).toEqual({ task_id: 'hangs', status: 'queued' });
    const again = await api.call('POST', '/tasks', asked('hangs'));
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    const build = await api.trigger({ ref: 'hangs' });
    expect(build.json).toMatchObject({ status: 'queued', message: 'Build queued successfully' });
    await succeeds('hangs');
    expect(begun.get('hangs')).toBe(1);
    expect(await world.ended(build.json.id)).toMatchObject({ status: 'success', ref: 'hangs' });
    // Before the API, which would wait for its queries.
    await proxy.close();
  });

  it('is accepted by Flower too, which waits for the end of a task', async () => {
    const api = await startCutOffApi(world);
    const applied = await api.call('POST', '/api/task/apply/process_content', {
      args: ['waits', ['embed']],
      task_id: 'waits',
    });
    expect([applied.status, applied.json]).toEqual([200, { 'task-id': 'waits', state: 'PENDING' }]);
    await succeeds('waits');
  });

  it('is not worked at again where the record has it and Temporal has forgotten it', async () => {
    const workflow_id = taskWorkflowId('forgotten');
    const { name, args } = asked('forgotten');
    const nothing = { priority: null, eta: null, expires: null, soft_limit_ms: null, hard_limit_ms: null };
    const nobody = { callback_origin: null, root_id: null, parent_id: null };
    const from = { fingerprint: 'f', caller: 'local', door: 'http' as const };
    const data = {
      task_id: 'forgotten',
      workflow_id,
      name,
      args,
      kwargs: {},
      queue: 'content',
      ...from,
      ...nothing,
      ...nobody,
    };
    const told = [
      { type: 'task_queued', data, dedupe_key: 'queued' },
      { type: 'task_received', data: {}, dedupe_key: 'received' },
      { type: 'task_started', data: { attempt: 1, worker: 'w' }, dedupe_key: 'attempt:1:1:started' },
      { type: 'task_succeeded', data: { result: 'of then' }, dedupe_key: 'ended' },
    ] as const;
    for (const event of told) {
      await appendEvent(world.db, TASKS, 'forgotten', { ...event, occurred_at: '2026-01-01T00:00:00.000Z' });
    }
    const before = (await world.call('GET', '/tasks/forgotten/events')).json;

    const api = await startCutOffApi(world);
    expect((await api.call('POST', '/tasks', asked('forgotten'))).status).toBe(202);
    await world.client.workflow.getHandle(workflow_id).result();
    expect(begun.has('forgotten')).toBe(false);
    expect((await world.call('GET', '/tasks/forgotten/events')).json).toEqual(before);
  });
});
