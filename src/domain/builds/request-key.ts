import type { BuildRequest } from '../../contracts/builds/event.ts';
import { canonicalJson, sha256 } from '../record/hash.ts';

/**
 * Returns a digest that is the same for equal requests: SHA-256 of the canonical JSON of the message type and the resolved request.
 * It leaves out fresh ids, times, retry counts and priorities.
 */
export function fingerprint(request: BuildRequest): string {
  return sha256(canonicalJson({ type: 'build', request }));
}

/**
 * Returns the key that triggers are deduplicated by: the caller's own key, or else the fingerprint. The caller's key is scoped to
 * caller and route, so that keys of two callers never collide.
 */
export function requestKey(requestFingerprint: string, given?: { caller: string; route: string; key: string }): string {
  return given ? sha256(canonicalJson([given.caller, given.route, given.key])) : requestFingerprint;
}
