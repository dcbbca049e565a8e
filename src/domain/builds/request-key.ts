import type { BuildRequest } from '../../contracts/builds/event.ts';
import { canonicalJson, sha256 } from '../record/hash.ts';

/**
 * What makes two requests the same: SHA-256 of the canonical JSON of the message type and the resolved request. No
 * fresh id, time, retry count or priority is in it.
 */
export function fingerprint(request: BuildRequest): string {
  return sha256(canonicalJson({ type: 'build', request }));
}

/**
 * The key that triggers are deduplicated by: the one that the caller gave, scoped to caller and route so that those of two
 * callers never collide, or the fingerprint.
 */
export function requestKey(requestFingerprint: string, given?: { caller: string; route: string; key: string }): string {
  return given ? sha256(canonicalJson([given.caller, given.route, given.key])) : requestFingerprint;
}
