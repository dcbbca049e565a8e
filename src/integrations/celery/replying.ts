import type { PendingReply } from '../../contracts/celery/celery.ts';
import { forgoneAfter, repliesAbout, type TaskEnding, whatFollows } from '../../domain/celery/celery-reply.ts';
import { followUpsPublication } from './celery-publication.ts';
import { endNeverComing, returnToChord } from './chords.ts';
import { bury, publishResult, publishTasks, type ReplyWays } from './publishing.ts';

/** Publishes what follows a task and then its result to one client that requested it, as Celery's worker does. @throws {NotPublished} */
export async function publishReply(ways: ReplyWays, pending: PendingReply, ending: TaskEnding): Promise<void> {
  const { tasks, refusal } = whatFollows(pending, ending, ways.queueOf);
  if (refusal) {
    const message = followUpsPublication(ending.task_id, pending.follow_ups);
    await bury(ways, { message, from: 'celery', task_id: ending.task_id, task: null }, refusal);
  }
  await publishTasks(ways, tasks);
  for (const told of repliesAbout(pending, ending)) await publishResult(ways.rabbit, told);
  const last = { pending, ending };
  const { task_id, end } = ending;
  if (pending.chord) await returnToChord(ways, { ...pending.chord, task_id, end }, last);
  await endNeverComing(ways, forgoneAfter(pending, ending), last);
}

/** Stores the result of a task where clients look for it. @throws while Redis is away. */
export async function storeReply({ results }: ReplyWays, pending: PendingReply, ending: TaskEnding): Promise<void> {
  for (const { result } of repliesAbout(pending, ending)) await results?.store(result);
}
