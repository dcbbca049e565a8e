import type { PendingReply } from '../contracts/celery/celery.ts';
import { isAnnouncedEnd } from '../contracts/endings/announced-end.ts';
import type { AnswerInput } from '../contracts/endings/answer-workflow.ts';
import { endOf, type TaskEnding } from '../domain/celery/celery-reply.ts';
import { publicationFrom } from '../integrations/celery/celery-publication.ts';
import { publishMessage, type ReplyWays } from '../integrations/celery/publishing.ts';
import { publishReply, storeReply } from '../integrations/celery/replying.ts';
import { findDeadMessage } from '../store/celery/dead-message-find.ts';
import { listPendingReplies } from '../store/celery/pending-reply-list-by-task.ts';
import { settlePendingReply } from '../store/celery/pending-reply-settle.ts';
import type { Db } from '../store/database.ts';
import { findEnding } from '../store/endings/ending-find.ts';
import { taskStream } from '../store/tasks/task-stream.ts';
import type { AnswerPort } from '../workflows/ports/answer.ts';

type Way = (ways: ReplyWays, pending: PendingReply, ending: TaskEnding) => Promise<void>;

/** Returns the activities with which the bridge serves the answer workflow. */
export function answerActivities(db: Db, ways: ReplyWays): AnswerPort {
  const each = async ({ task_id, ending }: AnswerInput, answer: Way) => {
    const stream = taskStream(task_id);
    const event = await findEnding(db, stream, ending);
    // If the task ended in another way first, the recorded end has its own replies. An end from the task's workflow is recorded again if
    // the record was set back.
    if (!event && isAnnouncedEnd(ending) && (await findEnding(db, stream))) return;
    if (!event) throw new Error(`the record does not have ${ending} of task ${task_id} yet`);
    const told = { task_id, ended_at: event.occurred_at, end: endOf(event) };
    for (const pending of await listPendingReplies(db, task_id, ending)) await answer(ways, pending, told);
  };
  return {
    async answerNow(about) {
      await each(about, async (...told) => {
        await Promise.all([publishReply(...told), storeReply(...told)]);
        await settlePendingReply(db, about, told[1]);
      });
    },
    publishAnswers: (about) => each(about, publishReply),
    storeResult: (about) => each(about, storeReply),
    async publishAgain({ id }) {
      const message = await findDeadMessage(db, id);
      // It may have been deleted meanwhile, because there were too many.
      if (message) await publishMessage(ways, publicationFrom(message), message.queue);
    },
  };
}
