import { WorkflowNotFoundError } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseExpired } from '../../src/commands/erasures/erase-expired.ts';
import { keepChordPart } from '../../src/store/celery/chord-part-keep.ts';
import { saveDeadMessage } from '../../src/store/celery/dead-message-save.ts';
import { savePendingReply } from '../../src/store/celery/pending-reply-save.ts';
import { settlePendingReply } from '../../src/store/celery/pending-reply-settle.ts';
import { openDatabase } from '../../src/store/database.ts';
import { saveCallbackTarget } from '../../src/store/endings/callback-target-save.ts';
import { deleteErasedSource, markSourcesErased, saveContentSource } from '../../src/store/erasures/content-source.ts';
import { findMessagesWithText, findStreamsWithText } from '../../src/store/erasures/erasable-find.ts';
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

  it.each([
    ['a field', 'publication', 'headers'],
    ['a header', 'publication', 'argsrepr'],
  ])('is not found in a refused message by the name of %s', async (_, id, text) => {
    const publication = String.raw`{"routing_key":"q","headers":{"argsrepr":"('a \u0000 value',)"}}`;
    const rest = { queue: 'q', reason: 'unknown_task', detail: 'd', task_id: null, task: null } as const;
    await saveDeadMessage(database.db, { ...rest, id, publication, body: '' });
    expect(await findMessagesWithText(database.db, text, 5)).toEqual([]);
    expect(await findMessagesWithText(database.db, "value'", 5)).toEqual([id]);
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

  it('is found by its values, not by the names of fields nor by a fingerprint', async () => {
    const { db } = database;
    const tell = async (id: string, change: object, result: unknown = null) => {
      for (const event of taskStory(id, { fingerprint: 'ada'.padEnd(64, '0'), ...change }, result))
        await appendEvent(db, TASKS, id, event);
    };
    const follow_ups = {
      callbacks: [{ task: 'mail', args: ['Grace'], kwargs: { tone: 'formal' }, subtask_type: null, options: {} }],
      errbacks: [],
      chain: [
        {
          task: 'chord',
          args: [],
          kwargs: { header: [], body: { task: 'x', args: ['Edsger'] } },
          subtask_type: 'chord',
        },
      ],
    };
    await tell('plain', { args: ['none'], kwargs: { query: 'none' } }, { answer: 'none' });
    await tell('named', { args: ['a'], kwargs: { 'jane@example.com': 1 } });
    await tell('resulting', {}, { Ada: { told: 'Bob' } });
    await tell('followed', {});
    await savePendingReply(db, 'followed', { reply_to: 'q', correlation_id: 'c', follow_ups } as never);
    await keepChordPart(db, 'g', { task_id: 'followed', index: 0, end: { status: 'SUCCESS', result: 'Barbara' } });
    const failed = taskStory('failed', {})[0]!;
    await appendEvent(db, TASKS, 'failed', failed);
    await appendEvent(db, TASKS, 'failed', {
      type: 'task_failed',
      data: { error: { type: 'NoIndex', message: 'about Carol', traceback: null } },
      occurred_at: failed.occurred_at,
      dedupe_key: 'ended',
    });
    const found = async (text: string) => (await findStreamsWithText(db, text, 50)).ended.toSorted();
    for (const ours of [
      'args',
      'result',
      'kwargs',
      'fingerprint',
      'traceback',
      'message',
      'follow_ups',
      'subtask',
      'SUCCESS',
      'chord',
    ])
      expect({ ours, found: await found(ours) }).toEqual({ ours, found: [] });
    expect(await found('ADA')).toEqual(['task:resulting']);
    expect(await found('jane@')).toEqual(['task:named']);
    expect(await found('bob')).toEqual(['task:resulting']);
    expect(await found('carol')).toEqual(['task:failed']);
    expect(await found('noindex')).toEqual(['task:failed']);
    for (const theirs of ['grace', 'tone', 'formal', 'edsger', 'barbara'])
      expect({ theirs, found: await found(theirs) }).toEqual({ theirs, found: ['task:followed'] });
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
