import { setTimeout as delay } from 'node:timers/promises';

/** Longest wait for the record, before Temporal is asked and again before an answer of 202. */
const RECORD_WAIT_MS = 1_000;

/** What the record knows already. Undefined also if the database is away or slow, since Temporal decides anyway. */
export function knownSoon<Known>(reading: Promise<Known | undefined>): Promise<Known | undefined> {
  return soon(reading.catch(() => undefined));
}

/**
 * Makes what was accepted visible at once. It is accepted even if the database is away or slow: the workflow appends the
 * same event once the database is back.
 */
export async function recordSoon(recording: Promise<void>, onFailure: (error: unknown) => void): Promise<void> {
  await soon(recording.catch(onFailure));
}

/** What the record says within the wait; undefined past it. */
function soon<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  return Promise.race([asked, delay(RECORD_WAIT_MS, undefined, { ref: false })]);
}
