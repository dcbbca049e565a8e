/** A limit: `quota` at once, and `quota` in each window. */
export interface Rate {
  quota: number;
  windowMs: number;
}

/** The tokens that are left of a rate. */
export interface Bucket {
  tokens: number;
  /** When that was so, in milliseconds of any steady clock. */
  at: number;
}

export interface Taken {
  bucket: Bucket;
  allowed: boolean;
  /** Whole tokens that are left. */
  remaining: number;
  /** Seconds until the next token; 0 if there is one. */
  nextSeconds: number;
  /** Seconds until all tokens are back. */
  fullSeconds: number;
}

/** Takes one token from a bucket that fills evenly; undefined stands for a full one. */
export function takeToken({ quota, windowMs }: Rate, bucket: Bucket | undefined, now: number): Taken {
  const perMs = quota / windowMs;
  const filled = bucket ? Math.min(quota, bucket.tokens + Math.max(0, now - bucket.at) * perMs) : quota;
  const allowed = filled >= 1;
  const tokens = allowed ? filled - 1 : filled;
  const secondsTo = (wanted: number) => Math.max(0, Math.ceil((wanted - tokens) / perMs / 1_000));
  return {
    bucket: { tokens, at: now },
    allowed,
    remaining: Math.floor(tokens),
    nextSeconds: secondsTo(1),
    fullSeconds: secondsTo(quota),
  };
}
