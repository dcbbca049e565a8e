import { setTimeout as delay } from 'node:timers/promises';

/** Longest wait for the record before an answer of 202; past it the workflow tells the record alone. */
const RECORD_WAIT_MS = 1_000;

/**
 * Makes what was accepted visible at once. Where the database is away or slow it is accepted all the same: the workflow
 * tells the same event when it is back.
 */
export async function recordSoon(recording: Promise<void>, onFailure: (error: unknown) => void): Promise<void> {
  await Promise.race([recording.catch(onFailure), delay(RECORD_WAIT_MS, undefined, { ref: false })]);
}
