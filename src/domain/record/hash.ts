import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { RecordedEvent } from '../../contracts/builds/event.ts';

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
  return hash('sha256', text);
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

/** Where a stream ends. */
export type ChainHead = Pick<RecordedEvent, 'seq' | 'hash'>;

/** The head of a stream without events. */
export const GENESIS: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** What is wrong with an event behind this head, if anything. */
export function linkFault(head: ChainHead, event: RecordedEvent): ChainFault | undefined {
  const { seq } = event;
  const expected = head.seq + 1;
  if (seq > expected) return { seq: expected, fault: `event ${expected} is missing` };
  if (seq < expected) return { seq, fault: `comes after event ${head.seq}: it was moved or recorded twice` };
  if (event.hash !== eventHash(event)) return { seq, fault: 'was changed after it was recorded' };
  if (event.previous_hash !== head.hash) {
    return {
      seq,
      fault: `does not continue event ${head.seq}: one of the two was changed, or an event between them was removed`,
    };
  }
  return undefined;
}

/** Recomputes the chain of one stream, given in order; the first fault, or undefined for a sound chain. */
export function chainFault(events: readonly RecordedEvent[]): ChainFault | undefined {
  let head = GENESIS;
  for (const event of events) {
    const fault = linkFault(head, event);
    if (fault) return fault;
    head = event;
  }
  return undefined;
}
