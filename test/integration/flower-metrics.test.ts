import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFlowerMetrics } from '../../src/processes/flower-metrics.ts';
import { restoreEvents } from '../../src/store/installation/backup-restore.ts';
import { appendEvent, appendEvents } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { taskStory } from '../world/task-story.ts';
import { openTestDatabase } from '../world/world.ts';

describe("Flower's metrics", () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase('server');
  });
  afterAll(() => database.close());

  it('count every event once, whatever the clock of the process was that told it', async () => {
    const { db } = database;
    await appendEvent(db, TASKS, 'before', taskStory('before')[0]!);
    const scrape = createFlowerMetrics(db);
    await scrape(new Map());
    await appendEvents(db, TASKS, 'counted', taskStory('counted'));
    const [last] = await db<Array<{ position: number }>>`SELECT max(position) AS position FROM events`;
    const restore = async (position: number, recorded_at: string) => {
      const [started] = await db<Array<{ event: object }>>`
        SELECT to_jsonb(events) AS event FROM events WHERE stream = 'task:counted' AND type = 'task_started'`;
      const event = { ...started!.event, position, seq: position, dedupe_key: `at ${position}`, recorded_at };
      await restoreEvents(db, JSON.stringify([event]));
    };
    await restore(last!.position + 1, new Date(Date.now() + 3_600_000).toISOString());
    await restore(last!.position + 2, new Date(Date.now() - 3_600_000).toISOString());
    for (let times = 0; times < 2; times++) {
      const lines = (await scrape(new Map())).split('\n');
      const counted = lines.filter((line) => line.startsWith('flower_events_total'));
      expect(counted.map((line) => line.replace(/.*type="([a-z-]*)".* /, '$1 '))).toEqual([
        'task-started 3',
        'task-succeeded 1',
      ]);
    }
  });
});
