import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, type Db, inTransaction, openDatabase } from '../../src/store/database.ts';
import { findErasedWithTargets, findExpiredStreams } from '../../src/store/erasures/erasable-find.ts';
import { listTasks } from '../../src/store/tasks/task-list.ts';
import { fillBuilds } from '../world/many-builds.ts';
import { openTestDatabase } from '../world/world.ts';

const MANY = 4_000;
/** More than any of these looks at, and a fraction of all. */
const FEW = 100;

describe('of many builds and tasks', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let owner: Database;
  beforeAll(async () => {
    database = await openTestDatabase('server');
    owner = openDatabase({ url: database.url, connections: 1 });
    const { db } = owner;
    await fillBuilds(db, MANY);
    await db`UPDATE builds SET erased_at = now()`;
    // The oldest ten have a name and a queue that no other has, and the last three were not erased.
    await db`
      INSERT INTO tasks (id, status, workflow_id, fingerprint, caller, door, name, queue, args, kwargs, attempts, retries, redrives,
        dead_lettered, created_at, completed_at, erased_at, last_seq, last_hash)
      SELECT lpad(n::text, 6, '0'), 'SUCCESS', 'task-' || n, 'f', 'local', 'http', CASE WHEN n <= 10 THEN 'rare' ELSE 'common' END,
        CASE WHEN n <= 10 THEN 'seldom' ELSE 'often' END, '[]', '{}', 1, 0, 0, false, at, at,
        CASE WHEN n <= ${MANY - 3} THEN at END, 3, 'h'
      FROM generate_series(1, ${MANY}::integer) AS n, LATERAL (SELECT now() - (${MANY}::integer - n) * interval '1 minute' AS at) AS made`;
    await db`
      INSERT INTO callback_targets (stream, target, url)
      VALUES (${`task:00${MANY}`}, 'first', 'https://a.test'), ('task:000007', 'later', 'https://b.test'),
        ('build:9', 'later', 'https://c.test')`;
    await db`ANALYZE`;
  });
  afterAll(async () => {
    await owner?.close();
    await database?.close();
  });

  /** What a query answers, and how many rows of a table Postgres read for it. */
  const measured = <T>(table: 'builds' | 'tasks', query: (tx: Db) => Promise<T>): Promise<[answer: T, rows: number]> =>
    inTransaction(owner.db, async (tx) => {
      const read = async () => {
        const [row] = await tx<[{ rows: number }]>`
          SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_xact_user_tables WHERE relname = ${table}`;
        return row.rows;
      };
      const before = await read();
      const answer = await query(tx);
      return [answer, (await read()) - before];
    });

  it.each(['builds', 'tasks'] as const)(
    'what has been kept long enough is found among %s by reading few',
    async (table) => {
      const later = new Date(Date.now() + 60_000).toISOString();
      const [found, rows] = await measured(table, (tx) =>
        findExpiredStreams(tx, later, { after: undefined, limit: 200 }),
      );
      expect(found.map(({ stream }) => stream)).toEqual([`task:00${MANY}`]);
      expect(rows).toBeLessThan(FEW);
      const [after] = await measured(table, (tx) => findExpiredStreams(tx, later, { after: found[0]!, limit: 200 }));
      expect(after).toEqual([]);
    },
  );

  it('those that got a URL after they were erased are found too', async () => {
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await findErasedWithTargets(owner.db, later, 5)).toSorted()).toEqual(['build:9', 'task:000007']);
    expect(await findErasedWithTargets(owner.db, '2020-01-01T00:00:00Z', 5)).toEqual([]);
  });

  it.each([{ name: 'rare' }, { queue: 'seldom' }])('the tasks of %o are listed by reading few', async (filter) => {
    const [{ items }, rows] = await measured('tasks', (tx) => listTasks(tx, { ...filter, limit: 20 } as never));
    expect(items.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, n) => String(10 - n).padStart(6, '0')));
    expect(rows).toBeLessThan(FEW);
  });
});
