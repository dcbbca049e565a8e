import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { RecordedEvent } from '../contracts/event.ts';

/** What stands before the first event of a stream. */
export const GENESIS_HASH = '0'.repeat(64);

/** Canonical JSON (RFC 8785): the same text for equal values, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  const json = canonicalize(value);
  if (json === undefined) throw new TypeError('this value has no JSON form');
  return json;
}

/** SHA-256 of a text's UTF-8 bytes, 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Hash of an event: SHA-256 over the canonical JSON of all it says, its place in the stream and the hash before it. */
export function eventHash(event: Omit<RecordedEvent, 'position' | 'hash'>): string {
  const { stream, seq, type, from_status, to_status, data, occurred_at, recorded_at, dedupe_key, previous_hash } =
    event;
  return sha256(
    canonicalJson({
      stream,
      seq,
      type,
      from_status,
      to_status,
      data,
      occurred_at,
      recorded_at,
      dedupe_key,
      previous_hash,
    }),
  );
}

/** What is wrong with a hash chain, if anything. */
export type ChainFault = { seq: number; fault: string };

/** Recomputes the chain of one stream, given in order; the first fault, or undefined for a sound chain. */
export function chainFault(events: readonly RecordedEvent[]): ChainFault | undefined {
  let previous = GENESIS_HASH;
  for (const [index, event] of events.entries()) {
    const expected = index + 1;
    if (event.seq !== expected) return { seq: expected, fault: `event ${expected} is missing` };
    if (event.previous_hash !== previous) return { seq: expected, fault: 'does not continue the event before it' };
    if (event.hash !== eventHash(event)) return { seq: expected, fault: 'was changed after it was recorded' };
    previous = event.hash;
  }
  return undefined;
}
