import type { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { registerSearchAttributes } from '../../src/processes/search-attributes.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld } from '../world/world.ts';

let asked = 0;
let world: Awaited<ReturnType<typeof openWorld>>;
beforeAll(async () => {
  world = await openWorld('embedded');
});
afterAll(() => world.close());

it('asks to come back while Temporal does not know our search attributes', async () => {
  const { connection } = world.client;
  const trigger = () => world.trigger({ ref: `release-${++asked}` });
  await connection.operatorService.removeSearchAttributes({
    namespace: world.namespace,
    searchAttributes: Object.keys(SEARCH_ATTRIBUTES),
  });
  const refused = await eventually(async () => {
    const answer = await trigger();
    expect(answer.status).not.toBe(202);
    return answer;
  });
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(refused).toMatchObject({ status: 503, json: { code: 'temporal_unavailable' } });
  await registerSearchAttributes(connection as Connection, world.namespace);
  await eventually(async () => expect((await trigger()).status).toBe(202));
});
