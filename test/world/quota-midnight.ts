import { expect } from 'vitest';
import { quotaReset } from '../../src/domain/content/quota-day.ts';
import { eventually } from './eventually.ts';

/** What a test still has to do within one day of the quota. */
const MINUTES = 4;

/** Lets the midnight of the quota pass where it is near: a test that counts the units of a day must not lie in two. */
export async function awayFromQuotaMidnight(): Promise<void> {
  const leftMs = () => quotaReset(Date.now()) - Date.now();
  await eventually(() => expect(leftMs()).toBeGreaterThan(MINUTES * 60_000), (MINUTES + 1) * 60_000);
}
