import { createHmac, timingSafeEqual } from 'node:crypto';

/** Older or newer messages are refused, seconds. */
const MOST_AGE = 300;

/** What is compared of a request. */
export interface Signed {
  id: unknown;
  timestamp: unknown;
  signature: unknown;
  /** Exactly as received. */
  body: Buffer;
}

/** Whether a request was signed with this secret (`whsec_` and base64) by the rules of Standard Webhooks. Compares in constant time. */
export function isSigned(secret: string, { id, timestamp, signature, body }: Signed, nowMs: number): boolean {
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string') return false;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1_000 - Number(timestamp)) > MOST_AGE) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${digest}`);
  return signature
    .split(' ')
    .map((one) => Buffer.from(one))
    .some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}
