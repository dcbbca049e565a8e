import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { buildCallback } from '../../src/contracts/builds/build.ts';
import type { EventView } from '../../src/contracts/builds/event.ts';
import { callbackWorkflowId } from '../../src/contracts/endings/callback-workflow.ts';
import { eventually } from '../world/eventually.ts';
import { answers, type Manner, openReceiver, resets } from '../world/receiver.ts';
import { verifies } from '../world/standard-webhooks.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'] as const;
const n8n = (word: string, status = 409) =>
  answers(status, {}, JSON.stringify({ message: `The execution "7" ${word}.` }));

describe('callbacks', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', {
      CALLBACK_SECRET: SECRETS.join(','),
      CALLBACK_ALLOWED_HOSTS: '127.0.0.1',
    });
  });
  afterAll(() => world.close());

  let refs = 0;
  /** A build with a receiver of its own. */
  async function called(manners: Manner[] = [answers(204)], body: object = {}) {
    const receiver = await openReceiver();
    onTestFinished(() => receiver.close());
    receiver.behave(...manners);
    refs += 1;
    const { json } = await world.trigger({ ref: `callback-${refs}`, callback_url: receiver.url, ...body });
    return { receiver, id: json.id as number };
  }
  const outcomes = ({ events }: BuildView) => events.filter(({ event_type }) => event_type.startsWith('callback_'));
  /** The build once its callback was settled so many times. */
  const settled = (id: number, times = 1) =>
    eventually(async () => {
      const build = await world.build(id);
      const last = outcomes(build).filter(isLast);
      if (last.length < times)
        throw new Error(`${last.length} callbacks are settled: ${JSON.stringify(outcomes(build))}`);
      return build;
    });
  const isLast = ({ event_type, event_data }: EventView) =>
    event_type === 'callback_delivered' || event_data?.next_at === null;

  it('tell how a build ended, as the API shows it, signed with every secret', async () => {
    const { receiver, id } = await called(undefined, { inputs: { simulate: 'failure' } });
    const shown = await settled(id);
    // Known to whoever asks about one build; artifacts are known only some minutes after the end.
    const { events, waits_for: _, links: _links, workflow_id: _w, artifacts: _a, ...build } = shown;
    expect(receiver.received).toHaveLength(1);
    const [request] = receiver.received;
    for (const secret of SECRETS) expect(verifies(request!, secret)).toBe(true);
    const payload = JSON.parse(request!.body);
    expect(buildCallback.parse(payload)).toEqual(payload);
    const end = events.find(({ event_type }) => event_type === 'build_completed');
    expect(build.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(payload).toEqual({ type: 'build.completed', timestamp: end?.timestamp, data: build });
    expect(request?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(events.at(-1)).toMatchObject({
      event_type: 'callback_delivered',
      event_data: { webhook_id: request?.headers['webhook-id'], attempt: 1, status: 204 },
    });
  });

  it.each<[string, Manner[], number, Array<number | null>, number]>([
    ['errors', [answers(500), answers(404), answers(204)], 3, [500, 404, 204], 3_000],
    ['broken connections', [resets, answers(200)], 2, [null, 200], 1_000],
    [
      'redirects, which are not followed',
      [answers(302, { location: '/elsewhere' }), answers(204)],
      2,
      [302, 204],
      1_000,
    ],
    ['a 503 with Retry-After', [answers(503, { 'retry-after': '3' }), answers(204)], 2, [503, 204], 3_000],
    ['n8n, before its Wait node', [n8n('is running already'), answers(200)], 2, [409, 200], 1_000],
    ['n8n, after the execution ended', [n8n('has finished already')], 1, [409], 0],
    ['n8n, after the execution failed', [n8n('has finished with error')], 1, [409], 0],
    ['n8n, after the execution was deleted', [n8n('does not exist', 404)], 1, [404], 0],
    ['410, for good', [answers(410)], 1, [410], 0],
  ])('outlast %s', async (_name, manners, tries, statuses, leastMs) => {
    const { receiver, id } = await called(manners);
    const build = await settled(id);
    expect(outcomes(build).map(({ event_data }) => event_data?.status)).toEqual(statuses);
    expect(receiver.received).toHaveLength(tries);
    const [first] = receiver.received;
    for (const { headers, body, path } of receiver.received) {
      expect(headers['webhook-id']).toBe(first?.headers['webhook-id']);
      expect(body).toBe(first?.body);
      expect(path).toBe('/hook?token=hush-hush');
      expect(verifies({ headers, body }, SECRETS[0])).toBe(true);
    }
    expect(receiver.received.at(-1)!.at - first!.at).toBeGreaterThanOrEqual(leastMs);
    expect(build.status).toBe('success');
  });

  it('that fail hold up nothing: the build has ended, and its workflow too', async () => {
    const { id } = await called([answers(500)], { inputs: { simulate: 'failure' } });
    const build = await world.ended(id);
    const handle = world.client.workflow.getHandle(String(build.events[0]?.event_data?.workflow_id));
    expect(await handle.result()).toMatchObject({ status: 'failure' });
    await eventually(async () => expect(outcomes(await world.build(id)).length).toBeGreaterThan(0));
    expect(outcomes(await world.build(id)).some(isLast)).toBe(false);
    const about = { subject: `build:${id}`, ending: 'completed' };
    const callback = world.client.workflow.getHandle(callbackWorkflowId(about));
    expect((await callback.describe()).status.name).toBe('RUNNING');
    expect((await world.call('GET', `/builds/${id}/verify`)).json).toMatchObject({ valid: true });
    await callback.terminate();
  });

  it('come once per ending: a retry that ends again makes another', async () => {
    const { receiver, id } = await called(undefined, { inputs: { simulate: 'failure' } });
    await settled(id);
    for (const times of [2, 3]) {
      expect((await world.call('POST', `/builds/${id}/retry`, { mode: 'redispatch' })).status).toBe(202);
      await settled(id, times);
    }
    expect(receiver.received).toHaveLength(3);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
    expect(receiver.received.map(({ body }) => JSON.parse(body).data.retries)).toEqual([0, 1, 2]);
  });

  it('come once, too, where the workflow of the build is reset', async () => {
    const { receiver, id } = await called(undefined, { inputs: { simulate: 'failure' } });
    const build = await settled(id);
    const workflowId = String(build.events[0]?.event_data?.workflow_id);
    const handle = world.client.workflow.getHandle(workflowId);
    await handle.result();
    const { events } = await handle.fetchHistory();
    const begun = events!.find((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
    const { runId } = await world.client.workflowService.resetWorkflowExecution({
      namespace: world.namespace,
      workflowExecution: { workflowId },
      reason: 'test',
      requestId: 'reset',
      workflowTaskFinishEventId:
        begun!.startChildWorkflowExecutionInitiatedEventAttributes!.workflowTaskCompletedEventId!,
    });
    expect(await world.client.workflow.getHandle(workflowId, runId).result()).toMatchObject({ status: 'failure' });
    // It did come to the callback again.
    const { events: after } = await world.client.workflow.getHandle(workflowId, runId).fetchHistory();
    expect(after!.some((event) => event.startChildWorkflowExecutionFailedEventAttributes)).toBe(true);
    expect(receiver.received).toHaveLength(1);
    expect(outcomes(await world.build(id))).toHaveLength(1);
  });

  it('go where the trigger says, else where the configuration says; the URL makes no other request of it', async () => {
    const theirs = await openReceiver();
    const own = await openReceiver();
    onTestFinished(() => Promise.all([theirs.close(), own.close()]).then(() => {}));
    const content = { repository: 'acme/images', workflow: 'build.yml', callback_url: theirs.url };
    const made = await world.call('PUT', '/configs/by-name/told', content);
    expect(made.json).toMatchObject({ callback_url: theirs.url });
    const first = await world.trigger({ config: 'told', ref: 'theirs' });
    const second = await world.trigger({ config: 'told', ref: 'own', callback_url: own.url });
    const again = await world.trigger({ config: 'told', ref: 'own', callback_url: theirs.url });
    expect(again.json.id).toBe(second.json.id);
    await settled(first.json.id);
    await settled(second.json.id, 2);
    const subjects = ({ received }: typeof own) => received.map(({ body }) => JSON.parse(body).data.id).toSorted();
    expect([subjects(theirs), subjects(own)]).toEqual([[first.json.id, second.json.id], [second.json.id]]);
  });

  it('say that a build was cancelled', async () => {
    const { receiver, id } = await called(undefined, { inputs: { simulate: 'stuck' } });
    await eventually(async () => expect((await world.build(id)).events.at(-1)?.event_type).toBe('run_updated'));
    await world.call('POST', `/builds/${id}/cancel`, {});
    await settled(id);
    const [request] = receiver.received;
    expect(JSON.parse(request!.body)).toMatchObject({ type: 'build.cancelled', data: { status: 'cancelled' } });
  });

  it('say so, too, where the workflow of a build was terminated and the API records the end', async () => {
    const { receiver, id } = await called(undefined, { inputs: { simulate: 'stuck' } });
    const { events } = await eventually(async () => {
      const build = await world.build(id);
      expect(build.events.at(-1)?.event_type).toBe('run_updated');
      return build;
    });
    await world.client.workflow.getHandle(String(events[0]?.event_data?.workflow_id)).terminate();
    expect((await world.call('POST', `/builds/${id}/cancel`, {})).status).toBe(202);
    await settled(id);
    expect((await world.call('POST', `/builds/${id}/cancel`, {})).status).toBe(409);
    expect(receiver.received.map(({ body }) => JSON.parse(body).type)).toEqual(['build.cancelled']);
  });

  it('are at most 20 KiB: a body that would be larger goes without the inputs', async () => {
    const { receiver, id } = await called(undefined, { inputs: { large: 'ü'.repeat(10_000) } });
    await settled(id);
    const { body } = receiver.received[0]!;
    expect(Buffer.byteLength(body)).toBeLessThan(2_000);
    expect(buildCallback.parse(JSON.parse(body)).data).toMatchObject({ id, status: 'success' });
    expect(JSON.parse(body).data).not.toHaveProperty('inputs');
  });

  it('keep their URL to themselves: the API and the record tell its origin only', async () => {
    const { receiver, id } = await called();
    const build = await settled(id);
    expect(build.events[0]?.event_data?.callback_origin).toBe(`http://127.0.0.1:${receiver.port}`);
    for (const path of [`/builds/${id}`, `/builds/${id}/events`, '/builds']) {
      const { text } = await world.call('GET', path);
      expect(text).not.toContain('hush-hush');
      expect(text).not.toContain('/hook');
    }
  });

  it('end where their URL is deleted', async () => {
    const { id } = await called([answers(500)]);
    await eventually(async () => expect(outcomes(await world.build(id)).length).toBeGreaterThan(0));
    const owner = postgres(world.databaseUrl, { max: 1 });
    await owner`DELETE FROM callback_targets WHERE stream = ${`build:${id}`}`;
    await owner.end();
    const build = await settled(id);
    expect(outcomes(build).at(-1)?.event_data).toMatchObject({ reason: 'its URL was deleted', next_at: null });
  });

  it('to where nobody can be called are refused before anything starts', async () => {
    const before = (await world.call('GET', '/builds?limit=1')).json.builds[0]?.id;
    for (const url of [
      'http://127.0.0.2/hush-hush',
      'http://0x7f.2/',
      'ftp://a.test/',
      'https://u:p@a.test/',
      'nowhere',
    ]) {
      const { status, json, text } = await world.trigger({ ref: 'refused', callback_url: url });
      expect([url, status, json.code]).toEqual([url, 422, 'unprocessable_callback_url']);
      expect(text).not.toContain('hush-hush');
      const content = { repository: 'acme/images', workflow: 'build.yml', callback_url: url };
      const configured = await world.call('PUT', '/configs/by-name/refused', content);
      expect([url, configured.status, configured.json.errors]).toEqual([
        url,
        400,
        [{ path: 'body.callback_url', message: expect.any(String) }],
      ]);
    }
    expect((await world.trigger({ callback_url: '' })).status).toBe(400);
    expect((await world.trigger({ callback_url: `https://a.test/${'x'.repeat(2_048)}` })).status).toBe(400);
    expect((await world.call('GET', '/builds?limit=1')).json.builds[0]?.id).toBe(before);
  });

  it('are counted by what became of their tries', async () => {
    const count = async (outcome: string) => {
      const { text } = await world.call('GET', '/metrics');
      return Number(new RegExp(`^hapax_callbacks_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
    };
    const before = [await count('failed'), await count('delivered'), await count('given_up')] as const;
    await settled((await called([answers(500), answers(204)])).id);
    await settled((await called([answers(410)])).id);
    // A try is counted a moment after it is in the record.
    await eventually(async () => {
      const after = [await count('failed'), await count('delivered'), await count('given_up')];
      expect(after).toEqual(before.map((value) => value + 1));
    });
  });

  it('are in the live stream of one who comes back after the end, and it closes then', async () => {
    const { id } = await called();
    const { events } = await settled(id);
    const end = events.find(({ event_type }) => event_type === 'build_completed')!;
    const headers = { accept: 'text/event-stream', 'last-event-id': String(end.seq) };
    const { text } = await world.call('GET', `/builds/${id}/events`, undefined, headers);
    expect(text.match(/^event: .*$/gm)).toEqual(['event: callback_delivered']);
  });
});

describe('receivers that hang', () => {
  it('take no slot of a worker that does one thing at a time', async () => {
    const world = await openWorld('server', { WORKER_CONCURRENCY: '1', CALLBACK_ALLOWED_HOSTS: '127.0.0.1' });
    const receiver = await openReceiver();
    let hanging = 0;
    receiver.behave((response) => {
      hanging += 1;
      response.once('close', () => (hanging -= 1));
    });
    try {
      for (let n = 0; n < 5; n++) await world.trigger({ ref: `hangs-${n}`, callback_url: receiver.url });
      // All at the same time, which they could not in the one slot; and builds end beside them.
      await eventually(() => expect(hanging).toBe(5));
      const { json } = await world.trigger({ ref: 'another' });
      expect(await world.ended(json.id)).toMatchObject({ status: 'success' });
    } finally {
      await receiver.close();
      await world.close();
    }
  });
});
