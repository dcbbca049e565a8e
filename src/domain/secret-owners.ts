import { timingSafeEqual } from 'node:crypto';
import { sha256 } from './record/hash.ts';

/**
 * Returns a function that finds the name a secret belongs to. It compares digests, which all have one length, and compares all of
 * them. So the time that it takes reveals nothing.
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
