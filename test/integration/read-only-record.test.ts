import type { Client } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectTemporal } from '../../src/processes/temporal.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { eventually } from '../world/eventually.ts';
import { type PostgresServer, startPostgresServer } from '../world/postgres-server.ts';
import { openNamespace } from '../world/world.ts';

describe('an API whose Postgres takes no writes', () => {
  let server: PostgresServer;
  let admin: postgres.Sql;
  let temporal: Awaited<ReturnType<typeof connectTemporal>>;
  let installation: { namespace: string; client: Client; databaseUrl: string };
  beforeAll(async () => {
    server = await startPostgresServer();
    await migrateDatabase(server.url);
    admin = postgres(server.url, { max: 1, onnotice: () => {}, connection: { application_name: 'admin' } });
    const namespace = await openNamespace();
    temporal = await connectTemporal({ address: inject('temporalAddress'), TEMPORAL_NAMESPACE: namespace });
    installation = { namespace, client: temporal.client, databaseUrl: server.url };
  });
  afterAll(async () => {
    await admin?.end();
    await temporal?.connection.close();
    await server?.close();
  });

  const apiOf = async () => {
    const api = await startAnotherApi(installation);
    return {
      ...api,
      put: () => api.call('PUT', `/configs/by-name/one`, { repository: 'acme/images', workflow: `${Date.now()}.yml` }),
      postgres: async () => (await api.call('GET', '/health')).json.dependencies.postgres,
    };
  };

  it('says so as of one that is away, still reads, and goes on when it can write', async () => {
    const api = await apiOf();
    expect((await api.put()).status).toBe(201);
    await eventually(async () => expect(await api.postgres()).toMatchObject({ status: 'ok' }));

    await admin`ALTER SYSTEM SET default_transaction_read_only = on`;
    await admin`SELECT pg_reload_conf()`;
    await eventually(async () =>
      expect(await api.postgres()).toMatchObject({ status: 'degraded', detail: 'it is read-only' }),
    );
    const refused = await api.put();
    expect([refused.status, refused.json.code]).toEqual([503, 'database_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.call('GET', '/configs')).status).toBe(200);
    const task = await api.call('POST', '/tasks', { name: 'process_content', args: ['c', ['embed']], task_id: 'kept' });
    expect([task.status, task.json]).toEqual([202, { task_id: 'kept', status: 'queued' }]);

    await admin.unsafe('SET default_transaction_read_only = off').simple();
    await admin.unsafe('ALTER SYSTEM RESET default_transaction_read_only').simple();
    await admin`SELECT pg_reload_conf()`;
    await eventually(async () => expect((await api.put()).status).toBe(200));
    await eventually(async () => expect(await api.postgres()).toMatchObject({ status: 'ok' }));
  });

  it('keeps no connection to a standby', async () => {
    const api = await apiOf();
    expect((await api.call('GET', '/configs')).status).toBe(200);
    const [{ directory }] = await admin<[{ directory: string }]>`SELECT current_setting('data_directory') AS directory`;
    await admin.unsafe(`COPY (SELECT) TO '${directory}/standby.signal'`).simple();
    await server.stop();
    await server.start();
    await eventually(async () => expect(await api.postgres()).toMatchObject({ status: 'degraded' }));
    const refused = await api.put();
    expect([refused.status, refused.json.code]).toEqual([503, 'database_unavailable']);
    const ours = async () => admin`SELECT FROM pg_stat_activity WHERE application_name = 'hapax'`;
    await eventually(async () => expect(await ours()).toHaveLength(0));

    await admin`SELECT pg_promote()`;
    await eventually(async () => expect((await api.put()).status).toBe(200));
    await eventually(async () => expect(await api.postgres()).toMatchObject({ status: 'ok' }));
  });
});
