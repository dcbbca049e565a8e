import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { eventually } from '../world/eventually.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';
import { directory, Program } from './program.ts';

/** `MESSAGES=1000 KILLS=10` is a longer run. */
const MESSAGES = Number(process.env.MESSAGES ?? 250);
const KILLS = Number(process.env.KILLS ?? 4);

/** How often each search was begun, by its query, which no two messages share. */
const begun = new Map<string, number>();
let open: BridgeWorld;

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis }, 'the bridge as a process', () => {
  beforeAll(async () => {
    open = await openBridgeWorld(
      {
        semantic_search: async ({ query }) => {
          begun.set(query, (begun.get(query) ?? 0) + 1);
          return query;
        },
      },
      { DEDUP_WINDOW: '5m', WORKER_CONCURRENCY: '20' },
    );
  });
  afterAll(() => open?.close());

  it(`makes ${MESSAGES} tasks and results of ${MESSAGES} messages, none doubled, though it is killed ${KILLS} times`, {
    timeout: 600_000,
  }, async () => {
    const bodies = Array.from({ length: MESSAGES }, (_, index) => ({
      // Every fifth carries no id.
      ...(index % 5 === 0 ? {} : { id: `killed-${index}` }),
      task: 'tasks.semantic_search',
      args: [`query ${index}`],
    }));
    const log = join(await directory(), 'bridge.log');
    const start = () => new Program(process.execPath, ['bin/hapax.js', 'bridge'], open.environment, log);
    let program = start();
    onTestFinished(() => program.kill());
    try {
      const publishing = open.publishAll('search', bodies);
      for (let kill = 1; kill <= KILLS; kill++) {
        await eventually(() => expect(begun.size).toBeGreaterThan((kill - 1) * (MESSAGES / (KILLS + 2))));
        await program.kill();
        program = start();
      }
      await publishing;
      await eventually(() => expect(begun.size).toBe(MESSAGES), 240_000);
      await eventually(async () => expect(await open.waiting('search')).toBe(0));
      await eventually(async () => expect((await open.results()).length).toBeGreaterThanOrEqual(MESSAGES), 240_000);
      program.signal('SIGTERM');
      await program.ended;
    } catch (error) {
      throw new Error(program.output.slice(-3_000), { cause: error });
    }
    expect([...begun].filter(([, times]) => times !== 1)).toEqual([]);
    expect(await recorded()).toBe(MESSAGES);
    // What a client finds that knows Redis only: each message's result, under one id, and the id that it gave.
    const results = await open.results();
    expect(results.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    const idsOf = new Map(results.map(({ result, task_id }) => [result, task_id]));
    expect([results.length, idsOf.size]).toEqual([MESSAGES, MESSAGES]);
    for (const [index, { id }] of bodies.entries()) {
      const found = idsOf.get(`query ${index}`);
      expect(found, `query ${index}`).toEqual(id ?? expect.any(String));
    }
    expect(await open.waiting('search')).toBe(0);
    expect(await open.waiting('hapax.dead-letter')).toBe(0);
  });
});

/** Tasks in the record, counted page by page over the API. */
async function recorded(): Promise<number> {
  let tasks = 0;
  let cursor = '';
  do {
    const { json } = await open.world.call('GET', `/tasks?limit=200${cursor}`);
    tasks += json.tasks.length;
    cursor = json.next_cursor === null ? '' : `&cursor=${json.next_cursor}`;
  } while (cursor !== '');
  return tasks;
}
