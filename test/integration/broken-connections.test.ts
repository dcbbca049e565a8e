import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction, openDatabase } from '../../src/store/database.ts';
import { eventually } from '../world/eventually.ts';
import { startProxy } from '../world/proxy.ts';
import { openTestDatabase } from '../world/world.ts';

describe('a transaction whose connection breaks', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let through: ReturnType<typeof openDatabase>;
  /** Holds a lock that nobody else gets. */
  let watching: ReturnType<typeof openDatabase>;
  beforeAll(async () => {
    database = await openTestDatabase('server');
    const url = new URL(database.url);
    proxy = await startProxy(Number(url.port), { pass: (chunk) => chunk });
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    through = openDatabase({ url: url.href, connections: 2 });
    watching = openDatabase({ url: database.url, connections: 1 });
    await watching.db`SELECT pg_advisory_lock(1)`;
  });
  afterAll(async () => {
    await through?.close();
    await watching?.close();
    await proxy?.close();
    await database?.close();
  });

  // An exception outside of any promise would end the process; Vitest reports it as a failure of the run.
  it.each(['between two queries', 'during a query'])(
    '%s fails, and the process and its other queries go on',
    async (when) => {
      const isThere = async (pid: number) =>
        (await watching.db`SELECT FROM pg_stat_activity WHERE pid = ${pid}`).length;
      const waits = async (pid: number) =>
        (await watching.db`SELECT FROM pg_locks WHERE pid = ${pid} AND NOT granted`).length;
      for (let round = 0; round < 3; round++) {
        const broken = inTransaction(through.db, async (tx) => {
          const [{ pid }] = await tx<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`;
          if (when === 'between two queries') {
            proxy.drop();
            await eventually(async () => expect(await isThere(pid)).toBe(0));
            await tx`SELECT 2`;
          } else {
            const running = tx`SELECT pg_advisory_lock(1)`.execute();
            await eventually(async () => expect(await waits(pid)).toBe(1));
            proxy.drop();
            await running;
          }
        });
        await expect(broken).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
        expect(await through.db`SELECT 3 AS n`).toEqual([{ n: 3 }]);
      }
    },
  );
});
