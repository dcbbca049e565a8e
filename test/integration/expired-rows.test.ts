import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepChordPart } from '../../src/store/celery/chord-part-keep.ts';
import { deleteExpired } from '../../src/store/expired-delete.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { taskStory } from '../world/task-story.ts';
import { DATABASES, openTestDatabase } from '../world/world.ts';

describe.each(DATABASES)('the hourly sweep (%s)', (kind) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterAll(() => database.close());

  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const tell = async (id: string, events: number, at: string) => {
    for (const event of taskStory(id).slice(0, events))
      await appendEvent(database.db, TASKS, id, { ...event, occurred_at: at });
  };

  it('keeps what follows a task until 30 days after its end, and how the other members of its chord ended', async () => {
    const { db } = database;
    await tell('waits', 1, ago(40));
    await tell('ended-late', 3, ago(20));
    await tell('ended-long-ago', 3, ago(40));
    const chained = { task: 'mail', args: [], kwargs: {}, options: { group_id: 'open' } };
    for (const task_id of ['waits', 'ended-late', 'ended-long-ago', 'never-made']) {
      const details = JSON.stringify({ follow_ups: { chain: task_id === 'waits' ? [chained] : [] } });
      await db`INSERT INTO owed ${db({ task_id, reply_to: 'q', details, kept_at: ago(40) })}`;
    }
    const end = { status: 'SUCCESS', result: 1 } as const;
    await keepChordPart(db, 'open', { task_id: 'member', index: 0, end });
    await keepChordPart(db, 'over', { task_id: 'member', index: 0, end });
    await db`UPDATE chord_parts SET kept_at = ${ago(40)}`;
    await deleteExpired(db);
    const owed = await db<Array<{ task_id: string }>>`SELECT task_id FROM owed ORDER BY task_id`;
    expect(owed.map(({ task_id }) => task_id)).toEqual(['ended-late', 'waits']);
    expect([...(await db`SELECT group_id FROM chord_parts`)]).toEqual([{ group_id: 'open' }]);
  });
});
