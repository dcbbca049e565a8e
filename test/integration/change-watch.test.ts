import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChangeWatch } from '../../src/console/change-watch.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { type Db, inTransaction, openDatabase } from '../../src/store/database.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { eventually } from '../world/eventually.ts';
import { openTestDatabase } from '../world/world.ts';
import { story, tell } from './told-builds.ts';

describe('what the pages of the console are told', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase('server');
  });
  afterAll(() => database.close());

  it('has a change whose transaction ended long after a later one', async () => {
    let looks = 0;
    const db = new Proxy(database.db, {
      apply(target, self, query) {
        looks += 1;
        return Reflect.apply(target as never, self, query);
      },
    }) as Db;
    const told: number[] = [];
    const unwatch = new ChangeWatch(db).watch(['build:1'], 0, (position) => told.push(position));
    const slow = openDatabase({ url: database.url, connections: 1 });
    try {
      await inTransaction(slow.db, async (tx) => {
        await appendEvent(tx, BUILDS, 1, story(1)[0]!);
        await tell(database.db, 2, 1);
        await eventually(() => expect(looks).toBeGreaterThan(8));
        expect(told).toEqual([]);
      });
      await eventually(() => expect(told).toEqual([2]));
    } finally {
      unwatch();
      await slow.close();
    }
  });
});
