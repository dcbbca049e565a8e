import { WorkflowNotFoundError } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseExpired } from '../../src/commands/erasures/erase-expired.ts';
import { saveDeadMessage } from '../../src/store/celery/dead-message-save.ts';
import { savePendingReply } from '../../src/store/celery/pending-reply-save.ts';
import { settlePendingReply } from '../../src/store/celery/pending-reply-settle.ts';
import { openDatabase } from '../../src/store/database.ts';
import { saveCallbackTarget } from '../../src/store/endings/callback-target-save.ts';
import { deleteErasedSource, markSourcesErased, saveContentSource } from '../../src/store/erasures/content-source.ts';
import { findMessagesWithText } from '../../src/store/erasures/erasable-find.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { eventually } from '../world/eventually.ts';
import { taskStory } from '../world/task-story.ts';
import { openTestDatabase } from '../world/world.ts';

describe('what can be erased', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase('server');
  });
  afterAll(() => database.close());

  it.each([
    ['as it is', 'Jürgen', '{"args":["Jürgen"]}', '{}'],
    ["as Python's json.dumps writes it", 'Zoë 😀', String.raw`{"args":["Zo\u00eb \ud83d\ude00"]}`, '{}'],
    ['with a quotation mark', 'O"Neil', String.raw`{"args":["O\"Neil"]}`, '{}'],
    ['with all of these', 'A\\B\n"Ç"', String.raw`{"args":["A\\B\n\"\u00c7\""]}`, '{}'],
    ['in no JSON', 'P"lain', 'P"lain', '{}'],
    ['in its headers', 'H"eader', '{}', String.raw`{"headers":{"from":"H\"eader"}}`],
  ])('is found in a refused message %s', async (_, text, written, publication) => {
    const body = Buffer.from(written).toString('base64');
    const rest = { queue: 'q', reason: 'unknown_task', detail: 'd', task_id: null, task: null } as const;
    await saveDeadMessage(database.db, { ...rest, id: text, publication, body });
    expect(await findMessagesWithText(database.db, text, 5)).toEqual([text]);
  });

  it('is not yet what a callback or a reply still has to tell', async () => {
    const { db } = database;
    // Nothing here has a workflow.
    const describe = () => Promise.reject(new WorkflowNotFoundError('none', 'w', undefined));
    const workflow = { async *list() {}, getHandle: () => ({ describe }) };
    const deps = { db, client: { workflow } as never, content: {} as never, log: pino({ level: 'silent' }) };
    const sweep = () => eraseExpired({ ...deps, keepArgumentsMs: 0, keepContentMs: undefined }, 60_000);
    const now = () => new Date().toISOString();
    for (const id of ['quiet', 'calls', 'replies'])
      for (const event of taskStory(id, { args: [id] }))
        await appendEvent(db, TASKS, id, { ...event, occurred_at: now() });
    const pending = { reply_to: 'q', correlation_id: 'replies', details: {} } as never;
    await saveCallbackTarget(db, 'task:calls', 'https://example.com/told');
    await savePendingReply(db, 'replies', pending);
    const erased = async () => {
      const rows = await db<Array<{ id: string }>>`SELECT id FROM tasks WHERE erased_at IS NOT NULL ORDER BY id`;
      return rows.map(({ id }) => id);
    };
    await sweep();
    expect(await erased()).toEqual(['quiet']);
    await appendEvent(db, TASKS, 'calls', {
      type: 'callback_delivered',
      data: { webhook_id: 'msg_1', attempt: 1, status: 200 },
      occurred_at: now(),
      dedupe_key: 'callback:ended:1',
    });
    await settlePendingReply(db, { task_id: 'replies', ending: 'ended' }, pending);
    await sweep();
    expect(await erased()).toEqual(['calls', 'quiet', 'replies']);
  });

  it('is no document that another content brings in while it is deleted', async () => {
    const { db } = database;
    const other = openDatabase({ url: database.url, connections: 1 });
    const happened: string[] = [];
    try {
      await saveContentSource(db, 'web:a', 'sources/one');
      await markSourcesErased(db, 'web:a', 'sources/one');
      let saving: Promise<unknown> = Promise.resolve();
      await deleteErasedSource(db, 'sources/one', async () => {
        saving = saveContentSource(other.db, 'web:b', 'sources/one').then(() => happened.push('brought in'));
        await eventually(async () => {
          const waiting = await db`SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
            WHERE NOT granted AND datname = current_database()`;
          expect(waiting.length + happened.length).toBeGreaterThan(0);
        });
        happened.push('deleted');
      });
      await saving;
      expect(happened).toEqual(['deleted', 'brought in']);
      const kept = await db`SELECT content_id, erased FROM content_sources WHERE blob_key = 'sources/one'`;
      expect([...kept]).toEqual([{ content_id: 'web:b', erased: false }]);
    } finally {
      await other.close();
    }
  });
});
