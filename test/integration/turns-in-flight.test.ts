import { afterAll, beforeAll, expect, it } from 'vitest';
import { InFlight } from '../../src/commands/keys/in-flight.ts';
import { openTestDatabase } from '../world/world.ts';

let database: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  database = await openTestDatabase('server');
});
afterAll(() => database?.close());

it('refuses what waits too long behind a request that hangs, and accepts again after it', async () => {
  const inFlight = new InFlight(database.db, 300);
  const accepted: string[] = [];
  const ask = (name: string, until: Promise<void> = Promise.resolve()) =>
    inFlight.within('builds', 'key:busy', 5, async () => {
      accepted.push(name);
      await until;
      return name;
    });
  const hanging = Promise.withResolvers<void>();
  const first = ask('first', hanging.promise);
  const waiting = await Promise.allSettled([ask('second'), ask('third')]);
  for (const { reason } of waiting as PromiseRejectedResult[]) {
    expect(reason).toMatchObject({ code: 'temporal_unavailable', retryAfterSeconds: 5 });
  }
  // It has its turn after the first, and not after those that were refused.
  const fourth = ask('fourth');
  hanging.resolve();
  expect(await Promise.all([first, fourth])).toEqual(['first', 'fourth']);
  expect(accepted).toEqual(['first', 'fourth']);
});
