import { listEndingsWithPendingReplies } from '../../store/celery/pending-reply-list-ended.ts';
import type { Db } from '../../store/database.ts';
import { listUntoldCallbacks } from '../../store/endings/callback-list-untold.ts';
import { listActiveSubscriptions } from '../../store/subscriptions/subscription-list.ts';
import { taskStream } from '../../store/tasks/task-stream.ts';
import { beginCallback, beginReplies } from '../lifecycle/begin-ending.ts';
import { startSubscription, wakeSubscription } from '../subscriptions/start-subscription.ts';
import type { ReconcileDependencies } from './reconcile.ts';

/** Callbacks are tried for three days. */
const CALLBACKS_MS = 4 * 86_400_000;

/** Temporal keeps a closed workflow at least this long, so that a reply that an answer workflow sent is not sent again. */
const REPLIES_MS = 12 * 3_600_000;

/** Lists builds and tasks, as streams, whose callbacks or replies may still be tried. */
export async function listUntoldStreams(db: Db): Promise<Set<string>> {
  const callbacks = await listUntoldCallbacks(db, CALLBACKS_MS);
  const replies = await listEndingsWithPendingReplies(db, REPLIES_MS);
  return new Set([...callbacks.map(({ subject }) => subject), ...replies.map(({ task_id }) => taskStream(task_id))]);
}

/**
 * Starts the workflows of subscriptions that Temporal has lost. Makes the others look again: they may have missed a change while Temporal
 * was away.
 * @param started is called with the subject of each that was started.
 */
export async function startLostSubscriptions(
  deps: ReconcileDependencies,
  started: (subject: string) => void,
): Promise<void> {
  for (const id of await listActiveSubscriptions(deps.db)) {
    if (await startSubscription(deps.client, id)) started(`subscription:${id}`);
    else await wakeSubscription(deps, id);
  }
}

/**
 * Starts the callbacks and replies about recent endings that Temporal has lost. Temporal refuses one that it still has.
 * @param begun is called with the subject of each.
 */
export async function beginLostEndings(
  { client, db }: ReconcileDependencies,
  begun: (subject: string, found: 'callback_lost' | 'reply_lost') => void,
): Promise<void> {
  for (const callback of await listUntoldCallbacks(db, CALLBACKS_MS)) {
    if (await beginCallback(client, callback)) begun(callback.subject, 'callback_lost');
  }
  for (const ending of await listEndingsWithPendingReplies(db, REPLIES_MS)) {
    if (await beginReplies(client, ending)) begun(`task:${ending.task_id}`, 'reply_lost');
  }
}
