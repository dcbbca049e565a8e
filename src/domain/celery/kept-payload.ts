import { LIMITS } from '../../contracts/budgets.ts';
import { decompressed } from './message-body.ts';

/** The prefix of a payload that `result_compression` has compressed. The kind of compression and a NUL follow it. */
const COMPRESSED = Buffer.from('\0celery-compressed\0');

/** Reads JSON that Celery's back end keeps; undefined if it is not JSON, or is compressed in a way that is not supported. */
export function readKept(payload: Buffer): unknown {
  try {
    return JSON.parse(textOf(payload));
  } catch {
    return undefined;
  }
}

function textOf(payload: Buffer): string {
  if (!payload.subarray(0, COMPRESSED.length).equals(COMPRESSED)) return payload.toString();
  const end = payload.indexOf(0, COMPRESSED.length);
  const kind = payload.toString('latin1', COMPRESSED.length, end);
  return Buffer.from(decompressed(payload.subarray(end + 1), kind, LIMITS.messages.followUpsCharacters)).toString();
}
