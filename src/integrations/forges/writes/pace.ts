import { setTimeout as delay } from 'node:timers/promises';

/**
 * What a write to GitHub waits for. A build reserves a slot first and waits for it by a durable timer, which costs no worker
 * (`workflows/build/write-slot.ts`); the activity that then sends claims the credential, and releases it when GitHub has answered.
 */
export interface WritePace {
  /** Takes the next slot for a write: how many milliseconds until it comes. */
  reserve(): Promise<number>;
  /** Begins a write, unless another one is under way for longer or GitHub's limits forbid it. Milliseconds. */
  claim(): Promise<{ release(): Promise<void> } | { waitMs: number; limited: boolean }>;
  /** How many milliseconds GitHub wants no request; 0 where it does not mind. */
  limitedForMs(): Promise<number>;
  /** Notes that GitHub wants no request for so long. */
  limit(waitMs: number): Promise<void>;
}

/** The writes of one credential, as all processes that use it share them. Milliseconds throughout. */
export interface SharedWrites {
  /** Takes the next of the slots, which are so far apart. @returns how long until it. */
  reserve(spacingMs: number): Promise<number>;
  /** Claims the right to write, for no longer than this. */
  claim(leaseMs: number): Promise<{ claimedUntil: string } | { waitMs: number; limited: boolean }>;
  /** Releases a claim: the next may begin after the pause. */
  release(claimedUntil: string, pauseMs: number): Promise<void>;
  limitedForMs(): Promise<number>;
  limit(waitMs: number): Promise<void>;
}

export interface PaceOptions {
  /** Least pause from the end of a write to the beginning of the next; 0: writes go as they come. */
  intervalMs: number;
  /** Longest that one write takes, after which a worker that was lost blocks nobody. */
  requestTimeoutMs: number;
}

/** Slots are this much further apart than writes, so that the response to one fits before the next. */
const SPACING = 1.25;
/** A write waits here for the one before it to end for at most so many intervals; longer waits cost no worker slot. */
const PATIENCE = 2;

/** Keeps the writes of a credential apart, and its limits. */
export function createWritePace(writes: SharedWrites, { intervalMs, requestTimeoutMs }: PaceOptions): WritePace {
  return {
    limitedForMs: () => writes.limitedForMs(),
    limit: (waitMs) => writes.limit(waitMs),
    reserve: async () => (intervalMs === 0 ? 0 : writes.reserve(intervalMs * SPACING)),

    async claim() {
      if (intervalMs === 0) {
        const waitMs = await writes.limitedForMs();
        return waitMs > 0 ? { waitMs, limited: true } : { release: async () => {} };
      }
      const giveUp = Date.now() + PATIENCE * intervalMs;
      for (;;) {
        const claim = await writes.claim(requestTimeoutMs + intervalMs + 5_000);
        if ('claimedUntil' in claim) return { release: () => writes.release(claim.claimedUntil, intervalMs) };
        if (claim.limited || Date.now() >= giveUp) return claim;
        // The response to another write ends its claim early, so it is asked again before that would end by itself.
        await delay(Math.min(claim.waitMs, intervalMs / 4));
      }
    },
  };
}
