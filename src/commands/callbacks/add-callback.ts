import type { Client } from '@temporalio/client';
import { LIMITS } from '../../contracts/budgets.ts';
import { type CallbackTarget, callbackEventKey, targetOf } from '../../contracts/endings/callback-workflow.ts';
import { type Db, databaseFault } from '../../store/database.ts';
import { addCallbackTarget } from '../../store/endings/callback-target-add.ts';
import { findEnding } from '../../store/endings/ending-find.ts';
import { eventExists } from '../../store/record/event-exists.ts';
import { beginCallback } from '../lifecycle/begin-ending.ts';
import { inTime } from '../lifecycle/in-time.ts';
import { Refusal } from '../refusal.ts';

/** How long the record may take to save a URL. */
const KEEP_TIMEOUT_MS = 5_000;

/**
 * Adds a callback URL to an existing build or task. It is called when the subject ends, or at once if it has ended. This
 * function saves the URL first and then looks for an ending; the workflow records its ending first and then lists the URLs.
 * So one of the two starts the callback, and Temporal allows only one.
 * @throws {Refusal} if the URL cannot be saved. It is never dropped silently.
 */
export async function addCallback(
  { db, client }: { db: Db; client: Client },
  subject: string,
  { url }: CallbackTarget,
): Promise<void> {
  const added = await kept(
    subject,
    inTime(addCallbackTarget(db, subject, url, LIMITS.callbacks.targets), KEEP_TIMEOUT_MS, TOO_LATE),
  );
  if (added === undefined) {
    const detail = `${subject} has ${LIMITS.callbacks.targets} callback URLs, which is the maximum`;
    throw new Refusal('unprocessable_callback_url', { detail });
  }
  const ending = (await kept(subject, findEnding(db, subject)))?.dedupe_key;
  if (ending === undefined) return;
  const about = { subject, ending, ...targetOf(added) };
  // Temporal forgets what was sent; the record does not.
  if (await kept(subject, eventExists(db, subject, callbackEventKey(about, 1)))) return;
  await beginCallback(client, about);
}

const TOO_LATE = 'the database does not answer';

async function kept<T>(subject: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (databaseFault(cause)?.kind === 'fault') throw cause;
    throw new Refusal('database_unavailable', {
      detail: `${subject} exists, but this callback URL cannot be saved now; send the same request again`,
      retryAfterSeconds: 5,
      cause,
    });
  }
}
