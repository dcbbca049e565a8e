import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../src/contracts/budgets.ts';
import { startAnotherApi, startCutOffApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { openReceiver, type Receiver } from '../world/receiver.ts';
import { openWorld, type World } from '../world/world.ts';

describe('every URL that was asked for is told', () => {
  let world: World;
  let release: () => void = () => {};
  beforeAll(async () => {
    world = await openWorld(
      'server',
      { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' },
      {
        async process_content({ content_id }) {
          if (content_id === 'waits') await new Promise<void>((resolve) => (release = resolve));
          if (content_id === 'fails') throw new Error('no');
          return { embed: 'completed' };
        },
        ingest_youtube: async () => ({ status: 'success', content_id: 'yt:dQw4w9WgXcQ', title: 'A' }),
      },
    );
  });
  afterAll(() => world.close());

  async function receivers(count: number): Promise<Receiver[]> {
    const opened = await Promise.all(Array.from({ length: count }, openReceiver));
    onTestFinished(async () => {
      await Promise.all(opened.map((receiver) => receiver.close()));
    });
    return opened;
  }
  const typesAt = ({ received }: Receiver) => received.map(({ body }) => JSON.parse(body).type);
  const told = (receiver: Receiver, types: string[]) => eventually(() => expect(typesAt(receiver)).toEqual(types));

  it('of a build: while it runs, each once, with an id of its own', async () => {
    const [a, b, c] = (await receivers(3)) as [Receiver, Receiver, Receiver];
    const body = { ref: `urls-${randomUUID()}` };
    const first = await world.trigger({ ...body, callback_url: a.url });
    for (const { url } of [b, c, a, b]) {
      const again = await world.trigger({ ...body, callback_url: url });
      expect([again.status, again.json.id]).toEqual([202, first.json.id]);
    }
    for (const receiver of [a, b, c]) await told(receiver, ['build.completed']);
    const ids = [a, b, c].map(({ received }) => received[0]!.headers['webhook-id']);
    expect(new Set(ids).size).toBe(3);
    const { events } = await eventually(async () => {
      const build = await world.build(first.json.id);
      expect(build.events.filter(({ event_type }) => event_type === 'callback_delivered')).toHaveLength(3);
      return build;
    });
    const origins = events.map(({ event_data }) => event_data?.callback_origin).filter(Boolean);
    // Once in build_queued, and once per delivery.
    expect(origins.toSorted()).toEqual([a, a, b, c].map(({ port }) => `http://127.0.0.1:${port}`).toSorted());
    expect(JSON.stringify(events)).not.toContain('hush-hush');
    expect((await world.call('GET', `/builds/${first.json.id}/verify`)).json.valid).toBe(true);
  });

  it('of a build whose first request named none', async () => {
    const [a] = (await receivers(1)) as [Receiver];
    const body = { ref: `urls-${randomUUID()}` };
    const { json } = await world.trigger(body);
    await world.trigger({ ...body, callback_url: a.url });
    await told(a, ['build.completed']);
    expect(JSON.parse(a.received[0]!.body).data.id).toBe(json.id);
  });

  it('of a build that has ended: at once, and once however often it is asked for', async () => {
    const [a, b] = (await receivers(2)) as [Receiver, Receiver];
    const body = { ref: `urls-${randomUUID()}`, callback_url: a.url };
    const key = randomUUID();
    const { json } = await world.trigger(body, key);
    await world.ended(json.id);
    await told(a, ['build.completed']);
    const late = { ...body, callback_url: b.url };
    const answers = await Promise.all(Array.from({ length: 5 }, () => world.trigger(late, key)));
    expect(new Set(answers.map(({ status, json: { id } }) => `${status} ${id}`))).toEqual(new Set([`202 ${json.id}`]));
    await told(b, ['build.completed']);
    // Temporal has forgotten both callbacks; the record has not.
    await eventually(async () => {
      const { events } = await world.build(json.id);
      expect(events.filter(({ event_type }) => event_type === 'callback_delivered')).toHaveLength(2);
    });
    for await (const { workflowId } of world.client.workflow.list({ query: "WorkflowType = 'callback'" })) {
      if (!workflowId.startsWith(`callback-build:${json.id}-`)) continue;
      await eventually(async () =>
        expect((await world.client.workflow.getHandle(workflowId).describe()).status.name).toBe('COMPLETED'),
      );
      await world.client.workflowService.deleteWorkflowExecution({
        namespace: world.namespace,
        workflowExecution: { workflowId },
      });
    }
    for (const callback_url of [a.url, b.url]) await world.trigger({ ...body, callback_url }, key);
    const [c] = (await receivers(1)) as [Receiver];
    await world.trigger({ ...body, callback_url: c.url }, key);
    await told(c, ['build.completed']);
    expect([typesAt(a), typesAt(b)]).toEqual([['build.completed'], ['build.completed']]);
  });

  it('of every ending of a build that is retried', async () => {
    const [a, b] = (await receivers(2)) as [Receiver, Receiver];
    const body = { ref: `urls-${randomUUID()}`, inputs: { simulate: 'failure' }, callback_url: a.url };
    const key = randomUUID();
    const { json } = await world.trigger(body, key);
    await world.ended(json.id);
    await world.trigger({ ...body, callback_url: b.url }, key);
    for (const receiver of [a, b]) await told(receiver, ['build.completed']);
    expect((await world.call('POST', `/builds/${json.id}/retry`, { mode: 'redispatch' })).status).toBe(202);
    for (const receiver of [a, b]) await told(receiver, ['build.completed', 'build.completed']);
  });

  it('of a build that an operator ends after its workflow is gone', async () => {
    const [a, b] = (await receivers(2)) as [Receiver, Receiver];
    const body = { ref: `urls-${randomUUID()}`, inputs: { simulate: 'stuck' }, callback_url: a.url };
    const { json } = await world.trigger(body);
    await world.trigger({ ...body, callback_url: b.url });
    const { events } = await eventually(async () => {
      const build = await world.build(json.id);
      expect(build.workflow_run_id).toEqual(expect.anything());
      return build;
    });
    await world.client.workflow.getHandle(String(events[0]?.event_data?.workflow_id)).terminate();
    await world.call('POST', `/builds/${json.id}/cancel`, {});
    for (const receiver of [a, b]) await told(receiver, ['build.cancelled']);
  });

  it('of a task, while it works and after its end', async () => {
    const [a, b, c] = (await receivers(3)) as [Receiver, Receiver, Receiver];
    const task = { name: 'process_content', args: ['waits', ['embed']], task_id: randomUUID() };
    const ask = (url: string) => world.call('POST', '/tasks', { ...task, callback_url: url });
    await ask(a.url);
    expect((await ask(b.url)).status).toBe(202);
    await eventually(async () =>
      expect((await world.call('GET', `/tasks/${task.task_id}`)).json.status).toBe('STARTED'),
    );
    release();
    for (const receiver of [a, b]) await told(receiver, ['task.succeeded']);
    expect((await ask(c.url)).json).toMatchObject({ task_id: task.task_id, status: 'SUCCESS' });
    await told(c, ['task.succeeded']);
  });

  it('of a video that is asked for by two: it is one task', async () => {
    const [a, b] = (await receivers(2)) as [Receiver, Receiver];
    const ask = (body: object) => world.call('POST', '/tasks', body);
    const plain = await ask({ name: 'ingest_youtube', args: ['https://youtu.be/dQw4w9WgXcQ'] });
    const beside = await ask({ name: 'ingest_youtube', args: ['dQw4w9WgXcQ'], callback_url: a.url });
    const within = await ask({ name: 'ingest_youtube_with_callback', args: ['dQw4w9WgXcQ', b.url] });
    expect(new Set([plain, beside, within].map(({ json }) => json.task_id)).size).toBe(1);
    for (const receiver of [a, b]) await told(receiver, ['task.succeeded']);
  });

  it('up to a number; more are refused, and say so', async () => {
    const body = { ref: `urls-${randomUUID()}`, inputs: { simulate: 'stuck' } };
    const { json } = await world.trigger(body);
    const ask = (n: number) => world.trigger({ ...body, callback_url: `http://127.0.0.1:9/${n}` });
    for (let n = 0; n < LIMITS.callbacks.targets; n++) expect((await ask(n)).status).toBe(202);
    const refused = await ask(LIMITS.callbacks.targets);
    expect([refused.status, refused.json.code]).toEqual([422, 'unprocessable_callback_url']);
    expect(refused.json.detail).toContain(`build:${json.id} has 20 callback URLs`);
    expect((await ask(0)).status).toBe(202);
    await world.call('POST', `/builds/${json.id}/cancel`, {});
  });

  it('or the request is answered with 503: without the record no further URL can be kept', async () => {
    const cutOff = await startCutOffApi(world, { settings: { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' } });
    const task = { name: 'process_content', args: ['other', ['embed']], task_id: randomUUID() };
    const ask = (api: Pick<World, 'call'>, n: number) =>
      api.call('POST', '/tasks', { ...task, callback_url: `http://127.0.0.1:9/hush-hush-${n}` });
    await ask(world, 1);
    const { status, json, headers } = await ask(cutOff, 2);
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'database_unavailable', '5']);
    expect(json.detail).toContain('send the same request again');
    // The first request once more needs no record: Temporal has its URL.
    expect((await ask(cutOff, 1)).status).toBe(202);
  });

  it('but one whose host has no public address is refused before anything starts, by its name', async () => {
    const asked: string[] = [];
    const api = await startAnotherApi(world, {
      settings: { CALLBACK_ALLOWED_HOSTS: 'allowed.example' },
      async resolve(host) {
        asked.push(host);
        const address = {
          'inner.example': '10.1.2.3',
          'metadata.example': '169.254.169.254',
          'both.example': '10.1.2.3',
        };
        if (host === 'hangs.example') await new Promise(() => {});
        if (!(host in address)) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
        const inner = { address: address[host as keyof typeof address], family: 4 };
        return host === 'both.example' ? [inner, { address: '93.184.215.14', family: 4 }] : [inner];
      },
    });
    const before = (await world.call('GET', '/builds?limit=1')).json.builds[0]?.id;
    const ask = (callback_url: string) =>
      api.call('POST', '/tasks', {
        name: 'process_content',
        args: ['c', ['embed']],
        eta: '2099-01-01T00:00:00Z',
        callback_url,
      });
    for (const [host, range] of [
      ['inner.example', 'private'],
      ['metadata.example', 'linkLocal'],
    ] as const) {
      const callback_url = `https://${host}/hush-hush`;
      for (const answer of [await api.trigger({ callback_url }), await ask(callback_url)]) {
        expect([answer.status, answer.json.code]).toEqual([422, 'unprocessable_callback_url']);
        expect(answer.json.detail).toContain(`goes to ${host}, and the host has no public address (${range})`);
        expect(answer.json.detail).toContain('CALLBACK_ALLOWED_HOSTS');
        expect(answer.text).not.toContain('hush-hush');
      }
      const content = { repository: 'acme/images', workflow: 'build.yml', callback_url };
      expect((await api.call('PUT', '/configs/by-name/refused', content)).json.errors).toEqual([
        { path: 'body.callback_url', message: expect.stringContaining('no public address') },
      ]);
    }
    expect((await world.call('GET', '/builds?limit=1')).json.builds[0]?.id).toBe(before);
    // A name that is not known now may be later; a resolver that hangs holds up nobody for long.
    for (const host of ['both.example', 'later.example', 'hangs.example', 'allowed.example']) {
      const { status, json } = await ask(`https://${host}/`);
      expect([host, status]).toEqual([host, 202]);
      await api.call('POST', `/tasks/${json.task_id}/cancel`, {});
    }
    expect(asked).not.toContain('allowed.example');
    expect((await ask('https://hooks.invalid/')).status).toBe(422);
  });

  it('but not one that was deleted, nor another in its place', async () => {
    const [a, b] = (await receivers(2)) as [Receiver, Receiver];
    const body = { ref: `urls-${randomUUID()}`, inputs: { simulate: 'stuck' }, callback_url: a.url };
    const { json } = await world.trigger(body);
    // The workflow keeps the URL as its first step.
    await eventually(async () => expect((await world.build(json.id)).started_at).toEqual(expect.anything()));
    const owner = postgres(world.databaseUrl, { max: 1 });
    await owner`DELETE FROM callback_targets WHERE stream = ${`build:${json.id}`}`;
    await owner.end();
    await world.trigger({ ...body, callback_url: b.url });
    await world.call('POST', `/builds/${json.id}/cancel`, {});
    await told(b, ['build.cancelled']);
    expect(a.received).toEqual([]);
  });
});
