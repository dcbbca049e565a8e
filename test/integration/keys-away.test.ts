import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { gateOf } from '../../src/api/gate-of.ts';
import { startMetricsServer } from '../../src/api/metrics-server.ts';
import { createKey } from '../../src/commands/keys/create-key.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';
import { findKey } from '../../src/store/keys/key-list.ts';
import { startCutOffApi } from '../world/another-api.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openGate } from '../world/open-gate.ts';
import { startProxy } from '../world/proxy.ts';
import { callers, openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('created keys, at an API that cannot read them', () => {
  let world: World;
  const create = async (name: string) => {
    const { json } = await world.call('POST', '/keys', { name, rights: ['read'] }, bearer(SECRET));
    return json.key as string;
  };
  beforeAll(async () => {
    world = await openWorld('server', { API_KEYS: `ops=${SECRET}` });
  });
  afterAll(() => world.close());

  it('are not called wrong, however often they are sent, where it has never read them', async () => {
    const key = await create('before');
    const api = await startCutOffApi(world);
    for (let times = 0; times < 40; times++) {
      const { status, json, headers } = await api.call('GET', '/queues', undefined, bearer(key));
      expect([status, json.code]).toEqual([503, 'database_unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const mistyped = await api.call('GET', '/queues', undefined, bearer(`${key.slice(0, -1)}_`));
    expect([mistyped.status, mistyped.json.code]).toEqual([401, 'unauthorized']);
  });

  it('are shown once they are made, where the database fails directly after that', async () => {
    const url = new URL(world.databaseUrl);
    let isMade = false;
    const proxy = await startProxy(Number(url.port), {
      admits: () => !isMade,
      pass(chunk, from) {
        if (from === 'client' && isMade) proxy.drop();
        if (from === 'server') isMade ||= chunk.includes('COMMIT');
        return chunk;
      },
    });
    url.port = String(proxy.port);
    const { db, close } = openDatabase({ url: url.href });
    try {
      const { key, text } = await createKey({ db, gate: openGate(db) }, { name: 'lost', rights: ['admin'] }, 'local');
      expect(text).toMatch(/^hpx_/);
      expect(isMade).toBe(true);
      expect(await findKey(world.db, key.id)).toEqual(key);
    } finally {
      await close();
      await proxy.close();
    }
  });

  it('are not called wrong where they were made elsewhere since it read them', async () => {
    // Its ring is read only when it is told to.
    const gate = openGate(world.db);
    await gate.ring.refresh();
    const key = await create('meanwhile');
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 6_000);
    try {
      await expect(gate.identify(key, '127.0.0.1')).rejects.toMatchObject({ code: 'database_unavailable' });
    } finally {
      clock.mockRestore();
    }
    await gate.ring.refresh();
    expect((await gate.identify(key, '127.0.0.1')).caller).toBe('key:meanwhile');
  });

  it('let Prometheus read the metrics for as long as the database is away, and nothing else', async () => {
    const key = await create('prometheus');
    const proxy = await startFreezingProxy(Number(new URL(world.databaseUrl).port));
    onTestFinished(() => proxy.close());
    const url = new URL(world.databaseUrl);
    url.port = String(proxy.port);
    const database = openDatabase({ url: url.href });
    onTestFinished(() => database.close());
    const settings = readSettings({ API_KEYS: `ops=${SECRET}` });
    const gate = gateOf(settings, { db: database.db, log: pino({ enabled: false }) });
    await gate.ring.refresh();
    const meter = createMetrics(database.db);
    const server = await startMetricsServer(settings, 0, { meter, gate, isReady: () => true });
    onTestFinished(() => server.close());
    const api = callers(server.url);
    await proxy.cut();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
    try {
      const scraped = await api.call('GET', '/metrics', undefined, bearer(key));
      expect([scraped.status, scraped.text]).toEqual([200, expect.stringMatching(/^hapax_postgres_up 0$/m)]);
      const unknown = await api.call('GET', '/metrics', undefined, bearer(`${key.slice(0, -1)}_`));
      expect(unknown.status).toBe(401);
      await expect(gate.identify(key, '127.0.0.1')).rejects.toMatchObject({ code: 'database_unavailable' });
    } finally {
      clock.mockRestore();
    }
  });
});
