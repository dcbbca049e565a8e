import { type Bucket, type Rate, type Taken, takeToken } from '../../domain/keys/token-bucket.ts';

/** How many callers or addresses are remembered. Beyond that, the one not seen for longest is forgotten: its bucket is full again. */
const MOST = 20_000;

/** Token buckets by name, in the memory of this process. */
export class Buckets {
  readonly #buckets = new Map<string, Bucket>();

  take(name: string, rate: Rate): Taken {
    const taken = takeToken(rate, this.#buckets.get(name), performance.now());
    this.#buckets.delete(name);
    this.#buckets.set(name, taken.bucket);
    if (this.#buckets.size > MOST) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return taken;
  }
}
