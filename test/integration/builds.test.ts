import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../src/contracts/builds/event.ts';
import { fingerprint } from '../../src/domain/builds/request-key.ts';
import { BUILDS, buildStream } from '../../src/store/builds/build-stream.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { listEvents } from '../../src/store/record/event-list-by-stream.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { DATABASES, openWorld, type World } from '../world/world.ts';

describe.each(DATABASES)('builds on the %s Postgres', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());

  const typesOf = (build: { events: Array<{ event_type: string }> }) => build.events.map((event) => event.event_type);

  it('go from trigger to success, with the bodies that clients know', async () => {
    const answer = await world.trigger({
      config_id: 1,
      ref: 'main',
      image_type: 'fedora-sway-atomic',
      fedora_version: '43',
    });
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ id: expect.any(Number), status: 'queued', message: 'Build queued successfully' });
    expect(answer.headers.get('location')).toBe(`/builds/${answer.json.id}`);
    expect(answer.headers.get('idempotent-replayed')).toBeNull();

    const build = await world.ended(answer.json.id);
    expect(build).toMatchObject({
      status: 'success',
      conclusion: 'success',
      ref: 'main',
      image_type: 'fedora-sway-atomic',
      fedora_version: '43',
      attempts: 1,
    });
    expect(typesOf(build).filter((type) => type !== 'run_updated')).toEqual([
      'build_queued',
      'build_started',
      'dispatch_intended',
      'workflow_triggered',
      'build_completed',
    ]);
    expect(build.events.map((event) => [event.from_status, event.to_status]).filter(([, to]) => to)).toEqual([
      [undefined, 'queued'],
      ['queued', 'in_progress'],
      ['in_progress', 'success'],
    ]);
    const run = (await world.github.runs()).find(({ id }) => id === build.workflow_run_id);
    expect(run?.inputs).toMatchObject({ image_type: 'fedora-sway-atomic', fedora_version: '43' });
    expect(run?.token).toBe(build.events.find((event) => event.event_type === 'dispatch_intended')?.event_data?.token);
  });

  it('are the same build for the same request, and say so', async () => {
    const first = await world.trigger({ ref: 'same', inputs: { a: '1', b: true } });
    const again = await world.trigger({ inputs: { b: 'true', a: 1 }, ref: 'same', priority: 1 });
    expect(again.status).toBe(202);
    expect(again.json).toMatchObject({ id: first.json.id, message: 'Build already exists' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    await world.ended(first.json.id);
    const later = await world.trigger({ ref: 'same', inputs: { a: '1', b: true } });
    expect(later.json).toEqual({ id: first.json.id, status: 'success', message: 'Build already exists' });
    const other = await world.trigger({ ref: 'same', inputs: { a: '2', b: true } });
    expect(other.json.message).toBe('Build queued successfully');
  });

  it('are the same build for a process that has not seen the request, while it runs and after its success', async () => {
    const first = await world.trigger({ ref: 'seen-elsewhere' });
    const running = await (await startAnotherApi(world)).trigger({ ref: 'seen-elsewhere' });
    expect(running.json).toMatchObject({ id: first.json.id, message: 'Build already exists' });
    await world.ended(first.json.id);
    const ended = await (await startAnotherApi(world)).trigger({ ref: 'seen-elsewhere' });
    expect(ended.json).toEqual({ id: first.json.id, status: 'success', message: 'Build already exists' });
  });

  it('are the same build where Temporal has lost its workflow', async () => {
    const first = await world.trigger({ ref: 'lost-by-temporal', inputs: { simulate: 'stuck' } });
    const { json } = await world.call('GET', `/builds/${first.json.id}`);
    const workflowId = String(json.events[0].event_data.workflow_id);
    // Its id is free again, as after a loss of Temporal's data.
    await world.client.workflow.getHandle(workflowId).terminate();
    const again = await (await startAnotherApi(world)).trigger({
      ref: 'lost-by-temporal',
      inputs: { simulate: 'stuck' },
    });
    expect(again.json).toMatchObject({ id: first.json.id, message: 'Build already exists' });
  });

  it('are the same build for the short and the full name of a branch, and another one for a tag', async () => {
    const short = await world.trigger({ ref: 'named' });
    const full = await world.trigger({ ref: 'refs/heads/named' });
    expect([full.json.id, full.json.message]).toEqual([short.json.id, 'Build already exists']);
    const tag = await world.trigger({ ref: 'refs/tags/named' });
    expect(tag.json.id).not.toBe(short.json.id);
    const other = await world.trigger({ ref: 'refs/heads/other' });
    expect((await world.ended(other.json.id)).ref).toBe('other');
    expect((await world.ended(tag.json.id)).ref).toBe('refs/tags/named');
    const { json } = await world.call('GET', '/builds?ref=refs/heads/other');
    expect(json.builds.map(({ id }: { id: number }) => id)).toEqual([other.json.id]);
  });

  it('are the same build as one that is recorded under the full name of its branch', async () => {
    const { id } = (await world.trigger({ ref: 'like-this' })).json;
    const [first] = await listEvents(world.db, buildStream(id));
    const request = { ...(first?.data.request as BuildRequest), ref: 'refs/heads/before' };
    const print = fingerprint(request);
    const recorded = 9_000_000;
    const known = { build_id: recorded, workflow_id: `build-${print}`, fingerprint: print, request_key: print };
    const data = { ...first?.data, ...known, request } as never;
    const occurred_at = new Date().toISOString();
    await appendEvent(world.db, BUILDS, recorded, { type: 'build_queued', data, occurred_at, dedupe_key: 'queued' });
    const again = await world.trigger({ ref: 'refs/heads/before' });
    expect(again.json).toEqual({ id: recorded, status: 'queued', message: 'Build already exists' });
  });

  it('are one for 1,000 equal requests over 50 connections', async () => {
    // Each client sends its next request when it has the answer to the one before, so each holds one connection.
    const client = async () => {
      const answers = [];
      for (let n = 0; n < 20; n++) answers.push(await world.trigger({ ref: 'crowd' }));
      return answers;
    };
    const answers = (await Promise.all(Array.from({ length: 50 }, client))).flat();
    expect(answers).toHaveLength(1_000);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((answer) => answer.json.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.json.message === 'Build queued successfully')).toHaveLength(1);
    const build = await world.ended(answers[0]?.json.id);
    expect(build.events.filter((event) => event.event_type === 'build_queued')).toHaveLength(1);
    const { json } = await world.call('GET', '/builds?ref=crowd');
    expect(json.builds.map(({ id }: { id: number }) => id)).toEqual([build.id]);
    const runs = (await world.github.runs()).filter((run) => run.display_title.includes('crowd'));
    expect(runs).toHaveLength(1);
  });

  it('are kept by an Idempotency-Key, also after a failure, and never for another request', async () => {
    const body = { ref: 'keyed', inputs: { simulate: 'failure' } };
    const first = await world.trigger(body, 'key-1');
    expect((await world.ended(first.json.id)).status).toBe('failure');
    const again = await world.trigger(body, 'key-1');
    expect(again.json).toEqual({ id: first.json.id, status: 'failure', message: 'Build already exists' });
    const misused = await world.trigger({ ref: 'other' }, 'key-1');
    expect(misused.status).toBe(422);
    expect(misused.json).toMatchObject({ code: 'idempotency_key_reused' });
    const unkeyed = await world.trigger(body);
    expect(unkeyed.json.id).not.toBe(first.json.id);
  });

  it('begin anew at once after a failure without a key', async () => {
    const body = { ref: 'again', inputs: { simulate: 'failure' } };
    const first = await world.trigger(body);
    await world.ended(first.json.id);
    const second = await world.trigger(body);
    expect(second.json.message).toBe('Build queued successfully');
    expect(second.json.id).not.toBe(first.json.id);
    await world.ended(second.json.id);
  });

  it.each(['failure', 'cancelled', 'timed_out', 'startup_failure'])('keep the conclusion %s', async (conclusion) => {
    const { json } = await world.trigger({ ref: 'conclusion', inputs: { simulate: conclusion } });
    expect(await world.ended(json.id)).toMatchObject({
      conclusion,
      status: conclusion === 'cancelled' ? 'cancelled' : 'failure',
    });
  });

  it('are accepted and visible while no worker runs, and go on when one comes', async () => {
    await world.stopWorker();
    const { json, status } = await world.trigger({ ref: 'patient' });
    expect(status).toBe(202);
    expect(await world.build(json.id)).toMatchObject({
      id: json.id,
      status: 'queued',
      events: [{ event_type: 'build_queued' }],
    });
    await world.startWorker();
    expect((await world.ended(json.id)).status).toBe('success');
  });

  it('hand their priority to Temporal, which keeps the order of those that wait', async () => {
    const { json } = await world.trigger({ ref: 'urgent', priority: 1 });
    const { events } = await world.build(json.id);
    const workflow = world.client.workflow.getHandle(String(events[0]?.event_data?.workflow_id));
    expect((await workflow.describe()).raw.workflowExecutionInfo?.priority?.priorityKey).toBe(1);
  });

  it('stream their events live, and resume after the last one seen', async () => {
    const { json } = await world.trigger({ ref: 'stream' });
    const stream = await readStream(`${world.url}/builds/${json.id}/events`);
    const build = await world.ended(json.id);
    expect(stream.map((event) => Number(event.id))).toEqual(build.events.map((event) => event.seq));
    expect(stream.map((event) => JSON.parse(event.data))).toEqual(build.events);
    const rest = await readStream(`${world.url}/builds/${json.id}/events`, '2');
    expect(rest.map((event) => Number(event.id))).toEqual(build.events.map((event) => event.seq).slice(2));
    const nothing = await fetch(`${world.url}/builds/${json.id}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(build.events.length) },
    });
    expect(nothing.status).toBe(204);
  });

  it('end a stream also for a client that has seen more than there is', async () => {
    const { json } = await world.trigger({ ref: 'ahead' });
    const path = `${world.url}/builds/${json.id}/events`;
    const ahead = await readStream(path, '500000');
    const build = await world.ended(json.id);
    expect(ahead.at(-1)?.id).toBe(String(build.events.length));
    const headers = { accept: 'text/event-stream', 'last-event-id': '999999999' };
    expect((await fetch(path, { headers })).status).toBe(204);
    expect((await fetch(path, { headers: { ...headers, 'last-event-id': '-1' } })).status).toBe(400);
  });

  it('answer a HEAD of a stream without beginning one', async () => {
    const { json } = await world.trigger({ ref: 'head', inputs: { simulate: 'stuck' } });
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    for (let n = 0; n < 50; n++) {
      const answer = await fetch(`${world.url}/builds/${json.id}/events`, {
        method: 'HEAD',
        headers: { accept: 'text/event-stream' },
      });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    }
    expect(timers() - before).toBeLessThan(25);
    await world.call('POST', `/builds/${json.id}/cancel`, {});
    await world.ended(json.id);
  });

  it('list by filter and page', async () => {
    const { json } = await world.call('GET', '/builds?status=failure&limit=2');
    expect(json.builds).toHaveLength(2);
    expect(new Set(json.builds.map((build: { status: string }) => build.status))).toEqual(new Set(['failure']));
    const next = await world.call('GET', `/builds?status=failure&limit=2&cursor=${json.next_cursor}`);
    const both = [...json.builds, ...next.json.builds] as Array<{ id: number; created_at: string }>;
    expect(new Set(both.map((build) => build.id)).size).toBe(4);
    const times = both.map((build) => build.created_at);
    expect(times).toEqual(times.toSorted().reverse());
    expect((await world.call('GET', '/builds?ref=nowhere')).json).toEqual({ builds: [], next_cursor: null });
  });
});

interface Sse {
  id: string;
  data: string;
}

/** All events of a stream until the server closes it. */
async function readStream(url: string, lastEventId?: string): Promise<Sse[]> {
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const text = await response.text();
  return text
    .split('\n\n')
    .filter((block) => block.includes('data:'))
    .map((block) => ({
      id: /^id: (.*)$/m.exec(block)?.[1] ?? '',
      data: /^data: (.*)$/m.exec(block)?.[1] ?? '',
    }));
}
