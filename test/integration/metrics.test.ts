import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { recordActivities } from '../../src/activities/record.ts';
import { gateOf } from '../../src/api/gate-of.ts';
import { startMetricsServer } from '../../src/api/metrics-server.ts';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import type { BuildEvent } from '../../src/contracts/builds/event.ts';
import { readSettings, SettingsError } from '../../src/contracts/settings.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { callers, openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-test';

/** Series of Prometheus' text format -> value. Strict: a line that is none throws, and so does a series told twice. */
function parse(text: string): Map<string, number> {
  const series = new Map<string, number>();
  const typed = new Set<string>();
  if (!text.endsWith('\n')) throw new Error('the text does not end with a line end');
  for (const line of text.split('\n')) {
    if (line === '' || /^# HELP [a-z_]+ \S/.test(line)) continue;
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line)?.[1];
    if (type) {
      typed.add(type);
      continue;
    }
    const match = /^(([a-z_]+)(?:\{(?:[a-z]+="[^"\\\n]*",?)+\})?) (\d+(?:\.\d+)?(?:e-?\d+)?|\+Inf)$/.exec(line);
    if (!match) throw new Error(`not a series: ${line}`);
    const [, name = '', metric = '', value] = match;
    if (!typed.has(metric) && !typed.has(metric.replace(/_(bucket|sum|count)$/, '')))
      throw new Error(`no type: ${line}`);
    if (series.has(name)) throw new Error(`twice: ${name}`);
    series.set(name, Number(value));
  }
  return series;
}

describe('metrics', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server', { API_KEYS: `test=${SECRET}` });
  });
  afterAll(() => world.close());

  const asked = (method: string, path: string, body?: unknown) =>
    world.call(method, path, body, { authorization: `Bearer ${SECRET}` });
  const scrape = async () => {
    const answer = await asked('GET', '/metrics');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    return parse(answer.text);
  };
  const trigger = async (ref: string, simulate = 'success') =>
    (await asked('POST', '/builds/trigger', { ref, inputs: { simulate } })).json.id as number;
  const ended = (id: number) =>
    eventually(async () => expect((await asked('GET', `/builds/${id}`)).json.completed_at).toEqual(expect.anything()));

  it('ask for a key where others do', async () => {
    expect((await world.call('GET', '/metrics')).status).toBe(401);
  });

  it('count what was done', async () => {
    const before = await scrape();
    const ids = [
      ...(await Promise.all(['a', 'b', 'c'].map((ref) => trigger(ref)))),
      await trigger('d', 'failure'),
      await trigger('e', 'a_word_of_tomorrow'),
    ];
    expect(await trigger('a')).toBe(ids[0]);
    const message = 'No ref found for: nowhere';
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', match: 'nowhere', message });
    ids.push(await trigger('nowhere'));
    expect((await asked('POST', '/builds/trigger', { ref: 1 })).status).toBe(400);
    expect((await asked('POST', '/builds/trigger', '{')).status).toBe(400);
    for (const id of ids) await ended(id);
    const rows = await Promise.all(ids.map(async (id) => (await asked('GET', `/builds/${id}`)).json));
    const events = rows.flatMap((row) => row.events).length;

    // An end is counted, and a dead letter told, a moment after the end is in the record.
    const after = await eventually(async () => {
      const now = await scrape();
      expect(now.get('hapax_dead_letters')).toBe(1);
      expect(now.get('hapax_build_duration_seconds_count')).toBe(ids.length);
      return now;
    });
    const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect({
      accepted: grown('hapax_builds_accepted_total{replayed="false"}'),
      replayed: grown('hapax_builds_accepted_total{replayed="true"}'),
      invalid: grown('hapax_triggers_refused_total{code="invalid_request"}'),
      malformed: grown('hapax_triggers_refused_total{code="malformed_json"}'),
      sent: grown('hapax_dispatches_total{outcome="accepted"}'),
      rejected: grown('hapax_dispatches_total{outcome="rejected"}'),
      success: grown('hapax_builds_completed_total{status="success",conclusion="success"}'),
      failure: grown('hapax_builds_completed_total{status="failure",conclusion="failure"}'),
      other: grown('hapax_builds_completed_total{status="failure",conclusion="other"}'),
      refusedByGitHub: grown('hapax_builds_completed_total{status="failure",conclusion="dispatch_rejected"}'),
      durations: grown('hapax_build_duration_seconds_count'),
      triggers: grown('hapax_http_request_duration_seconds_count{route="/builds/trigger",method="POST",status="202"}'),
      badTriggers: grown(
        'hapax_http_request_duration_seconds_count{route="/builds/trigger",method="POST",status="400"}',
      ),
      runs: (await world.github.runs()).length,
    }).toEqual({
      accepted: 6,
      replayed: 1,
      invalid: 1,
      malformed: 1,
      sent: 5,
      rejected: 1,
      success: 3,
      failure: 1,
      other: 1,
      refusedByGitHub: 1,
      durations: 6,
      triggers: 7,
      badTriggers: 2,
      runs: 5,
    });
    const seconds = rows.map((row) => (Date.parse(row.completed_at) - Date.parse(row.created_at)) / 1_000);
    expect(grown('hapax_build_duration_seconds_sum')).toBeCloseTo(
      seconds.reduce((sum, one) => sum + one, 0),
      2,
    );
    expect(after.get('hapax_postgres_up')).toBe(1);
    expect([
      after.get('hapax_queue_depth{queue="builds"}'),
      after.get('hapax_queue_in_flight{queue="builds"}'),
    ]).toEqual([0, 0]);
    expect(after.get('hapax_queue_oldest_age_seconds{queue="builds"}')).toBe(0);
    expect(after.get('hapax_events_total')).toBeGreaterThanOrEqual(events);
    const dispatch = 'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches';
    const posts = [...after].filter(([name]) => name.includes(`operation="${dispatch}"`));
    const { dispatch_requests } = await world.github.oracle();
    expect([posts.reduce((sum, [, value]) => sum + value, 0), dispatch_requests]).toEqual([6, 6]);
    expect(after.get('hapax_github_rate_limit_remaining')).toBeLessThan(1_000_000);
  });

  it('count an end once, however often it is told', async () => {
    const id = await trigger('told-twice');
    await ended(id);
    const before = await scrape();
    const { events } = (await asked('GET', `/builds/${id}`)).json as BuildView;
    const end = events.find(({ event_type }) => event_type === 'build_completed')!;
    const event = {
      type: end.event_type,
      data: end.event_data,
      occurred_at: end.timestamp,
      dedupe_key: end.dedupe_key,
    } as BuildEvent;
    const idle = { dispatched() {}, callbackTried() {}, quotaAsked() {}, taskEnded() {}, deliveriesSwept() {} };
    let counted = 0;
    const meter = { ...idle, buildEnded: () => counted++ };
    await recordActivities(world.db, meter).appendBuildEvent({ build_id: id, event });
    expect(counted).toBe(0);
    const ends = [...before].filter(([name]) => name.startsWith('hapax_builds_completed_total'));
    expect(before.get('hapax_build_duration_seconds_count')).toBe(ends.reduce((sum, [, value]) => sum + value, 0));
  });

  it('count the end that a command records, where the workflow was terminated', async () => {
    const series = 'hapax_builds_completed_total{status="cancelled",conclusion="cancelled"}';
    const counted = async () => (await scrape()).get(series) ?? 0;
    const before = await counted();
    const id = await trigger('terminated', 'stuck');
    const started = await eventually(async () => {
      const { json } = await asked('GET', `/builds/${id}`);
      expect(json.status).toBe('in_progress');
      return json;
    });
    await world.client.workflow.getHandle(String(started.events[0].event_data.workflow_id)).terminate();
    expect((await asked('POST', `/builds/${id}/cancel`)).status).toBe(202);
    await ended(id);
    expect(await counted()).toBe(before + 1);
    expect((await asked('POST', `/builds/${id}/cancel`)).status).toBe(409);
    expect(await counted()).toBe(before + 1);
  });

  it('have no more series after 100 refs, ids and paths nobody serves', async () => {
    for (const path of ['/builds/987654', '/nothing/at/all']) await asked('GET', path);
    const before = [...(await scrape()).keys()].sort();
    const ids = await Promise.all(Array.from({ length: 100 }, (_, index) => trigger(`many-${index}`)));
    for (const id of ids) await ended(id);
    for (const id of ids) await asked('GET', `/builds/${900_000 + id}`);
    for (const id of ids)
      await world.call('PROPFIND', `/nothing/${id}`, undefined, { authorization: `Bearer ${SECRET}` });
    const after = [...(await scrape()).keys()].sort();
    const added = after.filter((name) => !before.includes(name));
    // A status of GitHub may be seen for the first time; nothing of what was asked for is in a label.
    // So may the first checkpoint.
    const expected = /^hapax_(github_requests_total|checkpoint_age_seconds)/;
    expect(added.filter((name) => !expected.test(name))).toEqual([]);
    expect(added.length).toBeLessThan(5);
    expect(after.join()).not.toMatch(/many-|nothing|\d{6}/);
  });

  it('show what waits while no worker runs', async () => {
    await world.stopWorker();
    await trigger('waits');
    await eventually(async () => expect((await scrape()).get('hapax_queue_depth{queue="builds"}')).toBe(1));
    expect((await scrape()).get('hapax_queue_oldest_age_seconds{queue="builds"}')).toBeGreaterThan(0);
    await world.startWorker();
    await eventually(async () => expect((await scrape()).get('hapax_queue_depth{queue="builds"}')).toBe(0));
  });

  describe('of a worker', () => {
    const serve = async (url: string, keys?: string, isReady = () => true) => {
      const database = openDatabase({ url });
      onTestFinished(() => database.close());
      const settings = readSettings(keys === undefined ? {} : { API_KEYS: keys });
      const gate = gateOf(settings, { db: database.db, log: pino({ enabled: false }) });
      const server = await startMetricsServer(settings, 0, { meter: createMetrics(database.db), gate, isReady });
      onTestFinished(() => server.close());
      return { call: callers(server.url).call, ring: gate.ring };
    };

    it('are served beside probes, and nothing else is', async () => {
      let works = false;
      const { call, ring } = await serve(world.databaseUrl, `test=${SECRET}`, () => works);
      expect((await call('GET', '/health/live')).json).toEqual({ status: 'ok' });
      expect((await call('GET', '/health/ready')).status).toBe(503);
      works = true;
      expect((await call('GET', '/health/ready')).json).toEqual({ status: 'ok' });
      expect((await call('GET', '/metrics')).json).toMatchObject({ code: 'unauthorized' });
      const bearer = { authorization: `Bearer ${SECRET}` };
      expect(parse((await call('GET', '/metrics', undefined, bearer)).text).get('hapax_postgres_up')).toBe(1);
      const part = await asked('POST', '/keys', { name: 'part', rights: ['read'], queues: ['search'] });
      await ring.refresh();
      const ofPart = { authorization: `Bearer ${part.json.key}` };
      expect((await call('GET', '/metrics', undefined, ofPart)).json).toMatchObject({ status: 403, code: 'forbidden' });
      expect((await call('GET', '/builds', undefined, bearer)).status).toBe(404);
      const stranger = await (await serve(world.databaseUrl)).call('GET', '/metrics');
      expect(stranger.status).toBe(200);
    });

    it('are answered where Postgres hangs, without what is read from it', async () => {
      const url = new URL(world.databaseUrl);
      const proxy = await startFreezingProxy(Number(url.port));
      url.port = String(proxy.port);
      proxy.freeze();
      const { call } = await serve(url.href);
      onTestFinished(() => proxy.close());
      // Postgres never answers: that anything comes shows that the scrape does not wait for it.
      const series = parse((await call('GET', '/metrics')).text);
      expect(series.get('hapax_postgres_up')).toBe(0);
      for (const name of ['queue_depth', 'queue_oldest_age_seconds', 'queue_in_flight', 'dead_letters', 'events_total'])
        expect(series.has(`hapax_${name}`), name).toBe(false);
      expect(series.get('hapax_dispatches_total{outcome="accepted"}')).toBe(0);
    });

    it('need keys where others can reach them', () => {
      const cloud = { DATABASE_URL: 'postgres://db/hapax', TEMPORAL_ADDRESS: 'temporal:7233', GITHUB_TOKEN: 'x' };
      const open = { ...cloud, HOST: '0.0.0.0', METRICS_PORT: '9090' };
      expect(() => readSettings(open, 'worker')).toThrow(SettingsError);
      expect(readSettings({ ...open, API_KEYS: `test=${SECRET}` }, 'worker').METRICS_PORT).toBe(9090);
      expect(readSettings({ ...cloud, HOST: '0.0.0.0' }, 'worker').METRICS_PORT).toBeUndefined();
    });
  });
});
