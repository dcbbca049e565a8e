import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../src/contracts/budgets.ts';
import { addSubscriptionDelivery } from '../../src/store/subscriptions/subscription-delivery-add.ts';
import { eventually } from '../world/eventually.ts';
import { answers, openReceiver, type Received } from '../world/receiver.ts';
import { openWorld, type World } from '../world/world.ts';

const HOUR_MS = 3_600_000;

/** What a receiver was told, in the order of the log, each event once. */
function told(received: readonly Received[]) {
  const bodies = received.map(({ body }) => JSON.parse(body)).filter(({ type }) => type !== 'ping');
  return [...new Map(bodies.map((body) => [body.data.id, body])).values()].sort((a, b) => a.data.id - b.data.id);
}

describe('subscriptions', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { CALLBACK_ALLOWED_HOSTS: '127.0.0.1' });
  });
  afterAll(() => world.close());

  async function receiver() {
    const opened = await openReceiver();
    onTestFinished(() => opened.close());
    return opened;
  }
  async function subscribe(body: object) {
    const { status, json } = await world.call('POST', '/subscriptions', body);
    expect([status, json]).toEqual([201, expect.objectContaining({ status: 'active' })]);
    onTestFinished(async () => void (await world.call('DELETE', `/subscriptions/${json.id}`)));
    return json as { id: string; secret: string; position: number };
  }
  const get = async (id: string) => (await world.call('GET', `/subscriptions/${id}`)).json;
  /** All events of a build, as the log has them. */
  const eventsOf = (id: number) =>
    world.db`SELECT position, type FROM events WHERE stream = ${`build:${id}`} ORDER BY 1`;

  it('tell a receiver of every event of a build, signed, with what it is about', async () => {
    const { url, received } = await receiver();
    const { id, secret } = await subscribe({ url, headers: { 'X-Token': 'hush' }, name: 'bot' });
    const { json } = await world.trigger({ ref: 'subscribed' });
    await world.ended(json.id);
    const events = await eventsOf(json.id);
    await eventually(() =>
      expect(told(received).map(({ data }) => data.id)).toEqual(events.map(({ position }) => position)),
    );
    expect(told(received).map(({ type }) => type)).toEqual(events.map(({ type }) => type));
    expect(told(received)[0].data).toMatchObject({
      stream: `build:${json.id}`,
      build: { id: json.id, ref: 'subscribed', repository: 'acme/images' },
    });
    const [{ headers, body }] = received as [Received];
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers).toMatchObject({
      'x-token': 'hush',
      'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    });
    await eventually(async () => expect(await get(id)).toMatchObject({ delivered: events.length, pending: 0 }));
    // Neither the API nor the log says what may be secret.
    const shown = JSON.stringify([
      await get(id),
      await world.db`SELECT * FROM events WHERE stream = ${`subscription:${id}`}`,
    ]);
    expect(shown).toContain('X-Token');
    for (const hidden of ['hush', secret.slice(6), '/hook']) expect(shown).not.toContain(hidden);
  });

  it('send what the filter names, and nothing else', async () => {
    await world.call('PUT', '/configs/by-name/wanted', { repository: 'acme/images', workflow: 'build.yml' });
    const [ends, configured, tasks] = [await receiver(), await receiver(), await receiver()];
    await subscribe({ url: ends.url, filter: { kinds: ['build'], outcomes: ['failure'] } });
    await subscribe({ url: configured.url, filter: { configurations: ['wanted'], types: ['build_completed'] } });
    await subscribe({ url: tasks.url, filter: { queues: ['search'], outcomes: ['success'] } });
    const failed = (await world.trigger({ ref: 'fails', inputs: { simulate: 'failure' } })).json.id;
    const other = (await world.trigger({ ref: 'works' })).json.id;
    const wanted = (await world.trigger({ config: 'wanted', ref: 'wanted' })).json.id;
    await world.call('POST', '/tasks', { name: 'semantic_search', args: ['moon'], task_id: 'a-search' });
    for (const id of [failed, other, wanted]) await world.ended(id);
    await eventually(() => {
      expect(told(ends.received).map(({ data }) => [data.stream, data.to_status])).toEqual([
        [`build:${failed}`, 'failure'],
      ]);
      expect(told(configured.received).map(({ type, data }) => [type, data.build.id])).toEqual([
        ['build_completed', wanted],
      ]);
      expect(told(tasks.received).map(({ data }) => [data.task.task_id, data.to_status])).toEqual([
        ['a-search', 'SUCCESS'],
      ]);
    });
    // A later end that all have looked past: nothing else was sent.
    const last = (await world.trigger({ ref: 'last', inputs: { simulate: 'failure' } })).json.id;
    await world.ended(last);
    await eventually(() => expect(told(ends.received).at(-1)?.data.build.id).toBe(last));
    expect([ends.received, configured.received, tasks.received].map(({ length }) => length)).toEqual([2, 1, 1]);
  });

  it('write CloudEvents where they are asked to', async () => {
    const { url, received } = await receiver();
    await subscribe({ url, format: 'cloudevents', filter: { types: ['build_queued'] } });
    const { json } = await world.trigger({ ref: 'cloud' });
    const { headers, body } = await eventually(() => received[0] ?? Promise.reject(new Error('nothing came')));
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(body)).toMatchObject({
      specversion: '1.0',
      id: headers['webhook-id'],
      source: expect.stringMatching(/^urn:hapax:[0-9a-f-]{36}$/),
      type: 'hapax.build_queued',
      subject: `build:${json.id}`,
      time: expect.stringMatching(/Z$/),
      datacontenttype: 'application/json',
      data: { event_type: 'build_queued', build: { ref: 'cloud' } },
    });
    await world.ended(json.id);
  });

  it('write CDEvents of what a build comes to where they are asked to, and nothing else', async () => {
    const { url, received } = await receiver();
    const { id } = await subscribe({ url, format: 'cdevents' });
    expect((await world.call('POST', `/subscriptions/${id}/test`)).json).toMatchObject({ delivered: true });
    const { json } = await world.trigger({ ref: 'cd', inputs: { simulate: 'failure' } });
    await world.ended(json.id);
    await eventually(() => expect(received).toHaveLength(4));
    const [ping, ...events] = received.map(({ body }) => JSON.parse(body));
    expect(ping).toMatchObject({ type: 'hapax.ping', data: {} });
    for (const { id, source, type, subject, time, data } of events) {
      const { context, customData } = data;
      expect(context).toEqual({ specversion: '0.5.1', id, source, type, timestamp: time });
      expect([subject, customData.stream]).toEqual([`build:${json.id}`, `build:${json.id}`]);
    }
    const pipelineName = 'acme/images/build.yml';
    expect(events.map(({ type, data }) => [type, data.subject])).toEqual([
      ['dev.cdevents.pipelinerun.queued.0.3.0', { id: `build:${json.id}`, content: { pipelineName } }],
      [
        'dev.cdevents.pipelinerun.started.0.3.0',
        { id: `build:${json.id}`, content: { pipelineName, uri: expect.stringContaining('/actions/runs/') } },
      ],
      [
        'dev.cdevents.pipelinerun.finished.0.3.0',
        { id: `build:${json.id}`, content: { pipelineName, outcome: 'failure', errors: 'failure' } },
      ],
    ]);
  });

  it('try again what failed, and tell the rest meanwhile; nothing is lost over a restart of the worker', async () => {
    const { url, received, behave } = await receiver();
    const { id } = await subscribe({ url, filter: { kinds: ['build'] } });
    behave(answers(500), answers(204));
    const first = (await world.trigger({ ref: 'first' })).json.id;
    await world.ended(first);
    const events = await eventsOf(first);
    await eventually(async () => expect(await get(id)).toMatchObject({ delivered: events.length, pending: 0 }));
    behave(answers(500));
    const second = (await world.trigger({ ref: 'second' })).json.id;
    await world.ended(second);
    await eventually(async () => expect((await get(id)).failing_since).toEqual(expect.anything()));
    await world.stopWorker();
    behave(answers(204));
    await world.startWorker();
    const all = [...events, ...(await eventsOf(second))].map(({ position }) => position);
    await eventually(() => {
      const delivered = told(received).map(({ data }) => data.id);
      expect(delivered).toEqual(all);
    });
    await eventually(async () =>
      expect(await get(id)).toMatchObject({ pending: 0, failing_since: null, next_at: null }),
    );
    const ids = received.map(({ headers, body }) => `${JSON.parse(body).data.id} ${headers['webhook-id']}`);
    expect(new Set(ids).size).toBe(all.length);
  });

  it('stop at a receiver that is gone for good, go on where they are enabled, and start again from a position', async () => {
    const { url, received, behave } = await receiver();
    behave(answers(410));
    const { id, position } = await subscribe({ url, filter: { types: ['build_queued'] } });
    const one = (await world.trigger({ ref: 'gone-1' })).json.id;
    await eventually(async () =>
      expect(await get(id)).toMatchObject({ status: 'disabled', reason: 'the receiver is gone for good (410)' }),
    );
    const two = (await world.trigger({ ref: 'gone-2' })).json.id;
    behave(answers(204));
    received.length = 0;
    expect((await world.call('POST', `/subscriptions/${id}/enable`)).status).toBe(200);
    const builds = () => told(received).map(({ data }) => data.build.id);
    await eventually(() => expect(builds()).toEqual([one, two]));
    received.length = 0;
    expect((await world.call('POST', `/subscriptions/${id}/replay`, { after: position })).status).toBe(200);
    await eventually(() => expect(builds()).toEqual([one, two]));
    expect((await world.call('POST', `/subscriptions/${id}/enable`)).json.code).toBe('state_conflict');
    expect((await world.call('POST', `/subscriptions/${id}/disable`)).json).toMatchObject({ status: 'disabled' });
    const types = await world.db`SELECT type FROM events WHERE stream = ${`subscription:${id}`} ORDER BY seq`;
    expect(types.map(({ type }) => type.replace('subscription_', ''))).toEqual([
      ...['created', 'disabled', 'enabled', 'replayed', 'disabled'],
    ]);
    expect((await world.call('DELETE', `/subscriptions/${id}`)).status).toBe(204);
    expect((await world.call('GET', `/subscriptions/${id}`)).status).toBe(404);
    expect(await world.db`SELECT url FROM subscription_deliveries WHERE id = ${id}`).toEqual([]);
  });

  it('lose nothing where they are disabled after three days: the event that failed is the next one', async () => {
    const { url, received, behave } = await receiver();
    behave(answers(500));
    const { id } = await subscribe({ url, filter: { types: ['build_queued'] } });
    const one = (await world.trigger({ ref: 'down-1' })).json.id;
    await eventually(async () => expect(await get(id)).toMatchObject({ failing_since: expect.any(String) }));
    const two = (await world.trigger({ ref: 'down-2' })).json.id;
    // As if it had begun three days ago.
    const then = new Date(Date.now() - 73 * HOUR_MS).toISOString();
    await world.db`
      UPDATE subscription_deliveries SET version = version + 1, failing_since = ${then}, pending = (
        SELECT jsonb_agg(one || jsonb_build_object('first_at', ${then}::text, 'next_at', ${then}::text))
        FROM jsonb_array_elements(pending) AS one)
      WHERE id = ${id}`;
    await eventually(async () =>
      expect(await get(id)).toMatchObject({
        ...{ status: 'disabled', reason: expect.stringContaining('three days'), given_up: 0 },
      }),
    );
    behave(answers(204));
    received.length = 0;
    expect((await world.call('POST', `/subscriptions/${id}/enable`)).status).toBe(200);
    await eventually(() => expect(told(received).map(({ data }) => data.build.id)).toEqual([one, two]));
    await eventually(async () => expect(await get(id)).toMatchObject({ delivered: 2, pending: 0, given_up: 0 }));
  });

  it('go on with other events where one always fails, and give that one up after three days', async () => {
    const { url, received, behave } = await receiver();
    behave((response) => {
      const refused = JSON.parse(received.at(-1)!.body).data.build.ref === 'poison';
      response.writeHead(refused ? 500 : 204).end();
    });
    const { id } = await subscribe({ url, filter: { types: ['build_queued'] } });
    await world.trigger({ ref: 'poison' });
    await eventually(async () => expect(await get(id)).toMatchObject({ failing_since: expect.any(String) }));
    const setBack = (first_at: number, next_at: number) => {
      const times = JSON.stringify({
        first_at: new Date(Date.now() + first_at).toISOString(),
        next_at: new Date(Date.now() + next_at).toISOString(),
      });
      return world.db`
        UPDATE subscription_deliveries SET version = version + 1, pending = jsonb_set(pending, '{0}', (pending -> 0) || ${times}::jsonb)
        WHERE id = ${id}`;
    };
    // As if it had failed for a day: its next attempt is not soon.
    await setBack(-24 * HOUR_MS, 12 * HOUR_MS);
    await world.trigger({ ref: 'healthy' });
    await eventually(async () => expect(await get(id)).toMatchObject({ delivered: 1, pending: 1 }));
    await setBack(-73 * HOUR_MS, -HOUR_MS);
    await eventually(async () => expect(await get(id)).toMatchObject({ status: 'active', pending: 0, given_up: 1 }));
  });

  it('are tested with a ping, changed, and made once under a key', async () => {
    const [old, next] = [await receiver(), await receiver()];
    const body = { url: old.url, filter: { types: ['build_queued'] } };
    const key = { 'idempotency-key': 'one-subscription' };
    const made = await world.call('POST', '/subscriptions', body, key);
    const again = await world.call('POST', '/subscriptions', body, key);
    expect([again.json.id, again.json.secret]).toEqual([made.json.id, made.json.secret]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const path = `/subscriptions/${made.json.id}`;
    expect((await world.call('POST', `${path}/test`)).json).toEqual({ delivered: true, status: 204, reason: null });
    expect(JSON.parse(old.received[0]!.body)).toMatchObject({ type: 'ping' });
    old.behave(answers(503));
    expect((await world.call('POST', `${path}/test`)).json).toMatchObject({ delivered: false, status: 503 });
    const changed = await world.call('PUT', path, { url: next.url, filter: { types: ['build_started'] } });
    expect(changed.json).toMatchObject({ filter: { types: ['build_started'] } });
    // Whoever delivers notices within a second; from then on nothing goes to the old place.
    let refs = 0;
    await eventually(async () => {
      await world.trigger({ ref: `changed-${++refs}` });
      expect(told(next.received)).not.toEqual([]);
    });
    const { id } = (await world.trigger({ ref: 'after-the-change' })).json;
    await eventually(() =>
      expect(told(next.received).at(-1)).toMatchObject({ type: 'build_started', data: { build: { id } } }),
    );
    expect(told(old.received).filter(({ data }) => data.build.id === id)).toEqual([]);
    expect((await world.call('DELETE', path)).status).toBe(204);
    expect((await world.call('POST', '/subscriptions', body, key)).json.code).toBe('state_conflict');
  });

  it('leave the key of a refused request free', async () => {
    const { url } = await receiver();
    const others = Array.from({ length: LIMITS.subscriptions.count }, (_, n) => `sub_other${n}`);
    for (const id of others) await addSubscriptionDelivery(world.db, id, { url, secret: 'whsec_AAAA', headers: {} }, 0);
    const key = { 'idempotency-key': 'refused' };
    expect((await world.call('POST', '/subscriptions', { url }, key)).json.code).toBe('too_many_subscriptions');
    await world.db`DELETE FROM subscription_deliveries WHERE id IN ${world.db(others)}`;
    const { status, json } = await world.call('POST', '/subscriptions', { url, name: 'another' }, key);
    expect([status, json.name]).toEqual([201, 'another']);
    await world.call('DELETE', `/subscriptions/${json.id}`);
  });

  it('refuse what can never work, before anything starts', async () => {
    const refusals = [
      [{ url: 'http://10.0.0.1/' }, 422, 'unprocessable_callback_url'],
      [{ url: 'ftp://127.0.0.1/' }, 422, 'unprocessable_callback_url'],
      [{ url: 'http://127.0.0.1/', filter: { types: ['no_such_type'] } }, 400, 'invalid_request'],
      [{ url: 'http://127.0.0.1/', filter: { colour: ['red'] } }, 400, 'invalid_request'],
      [{ url: 'http://127.0.0.1/', headers: { Host: 'x' } }, 400, 'invalid_request'],
      [{ url: 'http://127.0.0.1/', headers: { 'X-A': 'a\r\nB: c' } }, 400, 'invalid_request'],
      [{ url: 'http://127.0.0.1/', secret: 'short' }, 400, 'invalid_request'],
      [{}, 400, 'invalid_request'],
    ] as const;
    for (const [body, status, code] of refusals) {
      const { json, ...response } = await world.call('POST', '/subscriptions', body);
      expect([response.status, json.code], JSON.stringify(body)).toEqual([status, code]);
    }
    expect((await world.call('GET', '/subscriptions/sub_none')).status).toBe(400);
    expect((await world.call('POST', `/subscriptions/sub_${'0'.repeat(24)}/test`)).status).toBe(404);
  });
});
