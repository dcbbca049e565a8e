import { setTimeout as delay } from 'node:timers/promises';

/** Longest wait for the record, before Temporal is asked and again before an answer of 202. */
const RECORD_WAIT_MS = 1_000;

/** What the record knows already; undefined also where the database is away or slow, since Temporal decides anyway. */
export function knownSoon<Known>(reading: Promise<Known | undefined>): Promise<Known | undefined> {
  return Promise.race([reading.catch(() => undefined), delay(RECORD_WAIT_MS, undefined, { ref: false })]);
}

/**
 * Makes what was accepted visible at once. Where the database is away or slow it is accepted all the same: the workflow
 * tells the same event when it is back.
 */
export async function recordSoon(recording: Promise<void>, onFailure: (error: unknown) => void): Promise<void> {
  await Promise.race([recording.catch(onFailure), delay(RECORD_WAIT_MS, undefined, { ref: false })]);
}
