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

/** Longest wait for the record to keep a URL. */
const KEEP_TIMEOUT_MS = 5_000;

/**
 * Adds a callback URL to a build or task that exists. It is called when the subject ends, or at once if it has ended. The URL is
 * kept first and the ending looked for after that; the workflow records its ending first and lists the URLs after that. So
 * one of the two begins the callback, and Temporal lets only one.
 * @throws {Refusal} where the URL cannot be kept. It is never dropped silently.
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
