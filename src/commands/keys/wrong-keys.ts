import type { Logger } from 'pino';
import { LIMITS } from '../../contracts/budgets.ts';
import { addressBlock } from '../../domain/keys/address-block.ts';
import { formOfKey } from '../../domain/keys/key-text.ts';
import { sha256 } from '../../domain/record/hash.ts';
import { Refusal } from '../refusal.ts';
import { Buckets } from './buckets.ts';
import type { KeyRing } from './key-ring.ts';

const MINUTE_MS = 60_000;

/** Counts wrong keys by the addresses that send them. */
export class WrongKeys {
  readonly #ring: KeyRing;
  readonly #log: Logger;
  readonly #buckets = new Buckets();

  constructor({ ring, log }: { ring: KeyRing; log: Logger }) {
    this.#ring = ring;
    this.#log = log;
  }

  /** Counts a wrong key, and returns a refusal that says what is wrong with it. */
  refusalOf(secret: string, address: string, fault?: string): Refusal {
    const block = addressBlock(address);
    const quota = LIMITS.keys.wrongPerMinute;
    const { allowed, remaining, nextSeconds } = this.#buckets.take(block, { quota, windowMs: MINUTE_MS });
    if (!allowed) {
      return new Refusal('rate_limited', {
        detail: `${block} has sent ${quota} wrong keys within a minute`,
        retryAfterSeconds: nextSeconds,
      });
    }
    if (remaining === 0)
      this.#log.warn({ address: block }, 'an address sends wrong keys; further ones are refused unread');
    if (fault) return new Refusal('unauthorized', { detail: `the token is refused: ${fault}` });
    const form = formOfKey(secret);
    const expired = form === 'whole' ? this.#ring.find(sha256(secret)) : undefined;
    if (expired)
      return new Refusal('unauthorized', { detail: `the key ${expired.id} expired at ${expired.expires_at}` });
    return new Refusal('unauthorized', {
      detail:
        form === 'damaged'
          ? 'this is not a whole key: its checksum is wrong; copy it again'
          : 'there is no such key, or it was revoked; send the header Authorization: Bearer KEY',
    });
  }
}
