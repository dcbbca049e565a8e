import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Received } from './receiver.ts';

/** Whether a request was signed with a secret within five minutes: Standard Webhooks 1.0, by another hand than the product's. */
export function verifies({ headers, body }: Pick<Received, 'headers' | 'body'>, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  return String(signatures)
    .split(' ')
    .map((signature) => /^v1,(.+)$/.exec(signature)?.[1] ?? '')
    .map((signature) => Buffer.from(signature, 'base64'))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
}
