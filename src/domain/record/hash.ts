import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { loggedData, valueAt } from './value-paths.ts';

/** The hash before the first event of a stream. */
export const GENESIS_HASH = '0'.repeat(64);

/** Returns canonical JSON (RFC 8785): the same text for equal values, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  const json = canonicalize(value);
  if (json === undefined) throw new TypeError('this value has no JSON form');
  return json;
}

/** Returns the SHA-256 of a text's UTF-8 bytes, 64 hexadecimal digits. */
export function sha256(text: string): string {
  return hash('sha256', text);
}

/**
 * Returns the hash of an event: SHA-256 over the canonical JSON of everything it says, its place in the stream and the hash before
 * it. It covers the {@link valuesHash} of values that are kept beside the event, not the values themselves.
 */
export function eventHash(event: Omit<RecordedEvent, 'position' | 'hash'>): string {
  const { stream, seq, type, from_status, to_status, occurred_at, recorded_at, dedupe_key, previous_hash } = event;
  const data = loggedData(event);
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

/** Returns the SHA-256 over the canonical JSON of a salt and of values by their paths, 64 hexadecimal digits. */
export function valuesHash({ salt, told }: { salt: string; told: Readonly<Record<string, unknown>> }): string {
  return sha256(canonicalJson({ salt, values: told }));
}

/** Says whether the values beside an event are those that its hash covers. True also if they were erased. */
function hasLoggedValues({ data, sealed }: Pick<RecordedEvent, 'data' | 'sealed'>): boolean {
  if (!sealed || sealed.salt === null) return true;
  const told = Object.fromEntries(sealed.fields.map((path) => [path, valueAt(data, path)]));
  return valuesHash({ salt: sealed.salt, told }) === sealed.digest;
}

/** A fault in a hash chain. */
export type ChainFault = { seq: number; fault: string };

/** The end of a stream. */
export type ChainHead = Pick<RecordedEvent, 'seq' | 'hash'>;

/** The head of a stream without events. */
export const GENESIS: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** Returns the fault of an event after this head, if it has one. */
export function linkFault(head: ChainHead, event: RecordedEvent): ChainFault | undefined {
  const { seq } = event;
  const expected = head.seq + 1;
  if (seq > expected) return { seq: expected, fault: `event ${expected} is missing` };
  if (seq < expected) return { seq, fault: `comes after event ${head.seq}: it was moved or recorded twice` };
  if (event.hash !== eventHash(event)) return { seq, fault: 'was changed after it was recorded' };
  if (!hasLoggedValues(event)) return { seq, fault: 'has other values beside it than those that were recorded' };
  if (event.previous_hash !== head.hash) {
    return {
      seq,
      fault: `does not continue event ${head.seq}: one of the two was changed, or an event between them was removed`,
    };
  }
  return undefined;
}

/** Recomputes the chain of one stream, given in order. Returns the first fault, or undefined for a sound chain. */
export function chainFault(events: readonly RecordedEvent[]): ChainFault | undefined {
  let head = GENESIS;
  for (const event of events) {
    const fault = linkFault(head, event);
    if (fault) return fault;
    head = event;
  }
  return undefined;
}
