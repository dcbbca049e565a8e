import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerActivities } from '../../src/activities/answers.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import type { ReplyWays } from '../../src/integrations/celery/publishing.ts';
import { listPendingReplies } from '../../src/store/celery/pending-reply-list-by-task.ts';
import { listEndingsWithPendingReplies } from '../../src/store/celery/pending-reply-list-ended.ts';
import { savePendingReply } from '../../src/store/celery/pending-reply-save.ts';
import { settlePendingReply } from '../../src/store/celery/pending-reply-settle.ts';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { eventually } from '../world/eventually.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';
import { hapax } from './told-builds.ts';

const HOUR_MS = 3_600_000;

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis }, 'what follows an end, after comparisons with Temporal', () => {
  let open: BridgeWorld;
  beforeAll(async () => {
    open = await openBridgeWorld({
      async semantic_search({ query }) {
        if (query === 'fail') throw new PermanentTaskError({ type: 'ValueError', message: 'boom' });
        return query;
      },
    });
    await open.openBridge();
  });
  afterAll(() => open?.close());

  /** A task with one task to follow it, in a queue that nobody consumes. */
  const followed = async (id: string, query: string, end: 'callbacks' | 'errbacks', onward: string) => {
    await open.purge(onward);
    const next = { task: 'tasks.elsewhere', options: { queue: onward, task_id: `after-${id}` } };
    await open.publish('search', { id, task: 'tasks.semantic_search', args: [query], [end]: [next] });
  };
  const published = (onward: string, count: number) =>
    eventually(async () => expect(await open.waiting(onward)).toBe(count));
  const closed = (id: string, runs: number) =>
    eventually(async () => {
      const states: string[] = [];
      for await (const { status } of open.world.client.workflow.list({ query: `WorkflowId = 'task-${id}'` }))
        states.push(status.name);
      expect(states).toHaveLength(runs);
      expect(states).not.toContain('RUNNING');
    });
  const reconcile = async () => (await hapax(['reconcile'], open.environment)).lines;
  const AGREE = ['0 differ, 0 could not be repaired'];

  it('is published once, and once more after a retry', async () => {
    await followed('succeeds', 'moon', 'callbacks', 'onward');
    await followed('fails', 'fail', 'errbacks', 'after-failure');
    await Promise.all([published('onward', 1), published('after-failure', 1)]);
    await Promise.all([closed('succeeds', 1), closed('fails', 1)]);
    expect(await reconcile()).toEqual(AGREE);
    expect((await open.world.call('POST', '/tasks/fails/retry', {})).status).toBe(202);
    await published('after-failure', 2);
    await closed('fails', 2);
    expect(await reconcile()).toEqual(AGREE);
    await Promise.all([published('onward', 1), published('after-failure', 2)]);
  });

  it('is published once for a message that comes after the end', async () => {
    const asked = { name: 'semantic_search', args: ['sun'], task_id: 'by-http' };
    expect((await open.world.call('POST', '/tasks', asked)).status).toBe(202);
    await closed('by-http', 1);
    await followed('by-http', 'sun', 'callbacks', 'late');
    await published('late', 1);
    await eventually(async () => expect(await listEndingsWithPendingReplies(open.world.db, HOUR_MS)).toEqual([]));
    expect(await reconcile()).toEqual(AGREE);
    expect(await open.waiting('late')).toBe(1);
  });

  it('is not waited for if the task has ended in another way', async () => {
    const { publishAnswers } = answerActivities(open.world.db, {} as ReplyWays);
    for (const ending of ['unled:0:ended', 'revoked:0'])
      await expect(publishAnswers({ task_id: 'by-http', ending })).resolves.toBeUndefined();
    // The end of a later life comes back, if the record was set back.
    const later = { task_id: 'by-http', ending: 'redriven:1:ended' };
    await expect(publishAnswers(later)).rejects.toThrow('does not have');
    await expect(publishAnswers({ task_id: 'unheard-of', ending: 'unled:0:ended' })).rejects.toThrow('does not have');
  });

  it('is published again if the bridge was lost before it noted that it had', async () => {
    await followed('not-noted', 'mars', 'callbacks', 'again');
    await published('again', 1);
    await closed('not-noted', 1);
    await open.world.db`UPDATE owed SET answered = NULL WHERE task_id = 'not-noted'`;
    // Another message of the same sender, with something else to follow, does not stand for the first.
    await followed('not-noted', 'mars', 'callbacks', 'another');
    await published('another', 1);
    expect(await reconcile()).toEqual([
      'task:not-noted has ended, but nobody replies to its sender: resumed',
      '1 differ, 0 could not be repaired',
    ]);
    await published('again', 2);
    expect(await reconcile()).toEqual(AGREE);
  });

  it('is noted as published, whatever text the message has', async () => {
    const follow_ups = { callbacks: [], errbacks: [], chain: [] };
    const of = { ignore_result: false, group_id: null, root_id: null, parent_id: null, follow_ups };
    // NUL is no text for a database.
    const pending = { ...of, reply_to: 'sender', celery_queue: 'a\0b' };
    await savePendingReply(open.world.db, 'odd', pending);
    await settlePendingReply(open.world.db, { task_id: 'odd', ending: 'ended' }, pending);
    expect(await listPendingReplies(open.world.db, 'odd')).toHaveLength(1);
    expect(await listPendingReplies(open.world.db, 'odd', 'ended')).toEqual([]);
  });
});
