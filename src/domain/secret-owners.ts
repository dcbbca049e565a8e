import { timingSafeEqual } from 'node:crypto';
import { sha256 } from './record/hash.ts';

/**
 * Finds the name that a secret belongs to. Digests have one length, and all of them are compared, so the time taken tells
 * nothing.
 */
export function secretOwners(secrets: Iterable<[name: string, secret: string]>): (given: string) => string | undefined {
  const known = Array.from(secrets, ([name, secret]) => ({ name, digest: digestOf(secret) }));
  return (given) => {
    const digest = digestOf(given);
    return known.filter((one) => timingSafeEqual(one.digest, digest))[0]?.name;
  };
}

function digestOf(secret: string): Buffer {
  return Buffer.from(sha256(secret));
}
