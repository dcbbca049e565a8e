import { LIMITS } from '../../contracts/budgets.ts';
import { decompressed } from './message-body.ts';

/** What Celery puts before a payload that `result_compression` has compressed; then come the kind of compression and a NUL. */
const COMPRESSED = Buffer.from('\0celery-compressed\0');

/** JSON that Celery's back end keeps; undefined where it is none, or compressed in a way that is not read. */
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
