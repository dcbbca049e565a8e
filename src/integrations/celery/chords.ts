import type { Chord, PendingReply } from '../../contracts/celery/celery.ts';
import { endsOfFailedChord, join, whatFollowsChord } from '../../domain/celery/celery-chord.ts';
import { type NeverComing, repliesAboutForgone, type TaskEnding } from '../../domain/celery/celery-reply.ts';
import { exceptionOfRefusal } from '../../domain/celery/celery-result.ts';
import { followUpsPublication } from './celery-publication.ts';
import { bury, publishResult, publishTasks, type ReplyWays } from './publishing.ts';

/** The task whose end is being handled, with one of the messages that requested it. */
interface Last {
  pending: PendingReply;
  ending: TaskEnding;
}

/** A member of a chord that ended, or that never runs. */
interface Member extends Chord {
  task_id: string;
  end: TaskEnding['end'];
}

/**
 * Counts a member of a chord. After the last one, publishes the body of the chord or, if a member did not succeed, sends replies to those
 * who wait for the body. Doing this twice changes nothing.
 */
export async function returnToChord(
  ways: ReplyWays,
  { group_id, index, body, task_id, end }: Member,
  last: Last,
): Promise<void> {
  // Without Redis, the number of members is unknown. The app's own back end then counts them.
  if (!ways.results) return;
  const parts = await ways.keepChordPart(group_id, { task_id, index, end });
  const kept = await ways.results.findChord(group_id);
  if (!kept || parts.length < kept.size) return;
  const joined = join(parts, kept.header);
  const { tasks, refusal } = whatFollowsChord({ group_id, body }, joined, last, ways.queueOf);
  await publishTasks(ways, tasks);
  if ('failed' in joined) {
    for (const never of endsOfFailedChord(body, joined.failed)) await tellNeverComing(ways, never, last);
  } else if (refusal) {
    const message = followUpsPublication(task_id, { callbacks: [body], errbacks: [], chain: [] });
    await bury(ways, { message, from: 'celery', task_id, task: body.task }, refusal);
    const failed = { task_id, index, end: { status: 'FAILURE', exception: exceptionOfRefusal(refusal, '') } } as const;
    for (const never of endsOfFailedChord(body, failed)) await tellNeverComing(ways, never, last);
  }
  // Celery's client keeps the count forever, and Celery deletes it after the last member.
  await ways.results.expireChord(group_id);
  // If it failed, a redrive of its member may still let it succeed.
  if (!('failed' in joined)) await ways.deleteChordParts(group_id);
}

async function tellNeverComing(ways: ReplyWays, never: NeverComing, last: Last): Promise<void> {
  for (const reply of repliesAboutForgone(never.tasks, { ended_at: last.ending.ended_at, end: never.end })) {
    await publishResult(ways.rabbit, reply);
    await ways.results?.store(reply.result);
  }
  await endNeverComing(ways, never, last);
}

/** Counts tasks that never run in their chords, and ends replaced tasks that wait for them. */
export async function endNeverComing(ways: ReplyWays, { tasks, end }: NeverComing, last: Last): Promise<void> {
  for (const { task_id, chord, replaces } of tasks) {
    if (replaces) await ways.endReplaced(task_id, replaces, end);
    else if (chord) await returnToChord(ways, { ...chord, task_id, end }, last);
  }
}
