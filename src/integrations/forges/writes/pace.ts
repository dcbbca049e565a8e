import { setTimeout as delay } from 'node:timers/promises';

/**
 * The pace of writes to GitHub. A build first reserves a slot and waits for it with a durable timer, which costs no worker
 * (`workflows/build/write-slot.ts`). The activity that then sends claims the credential, and releases it when GitHub has responded.
 */
export interface WritePace {
  /** Takes the next slot for a write. @returns the milliseconds until then. */
  reserve(): Promise<number>;
  /** Starts a write, unless another one takes too long or GitHub's limits forbid it. Milliseconds. */
  claim(): Promise<{ release(): Promise<void> } | { waitMs: number; limited: boolean }>;
  /** Returns for how many milliseconds GitHub wants no requests; 0 if it accepts them. */
  limitedForMs(): Promise<number>;
  /** Notes for how long GitHub wants no requests. @param isNamed whether GitHub named the time; otherwise it may grow. */
  limit(waitMs: number, isNamed: boolean): Promise<void>;
}

/** The writes with one credential, shared by all processes that use it. All times are in milliseconds. */
export interface SharedWrites {
  /** Takes the next slot; slots are this far apart. @returns how long until then. */
  reserve(spacingMs: number): Promise<number>;
  /** Claims the right to write, for at most this long. */
  claim(leaseMs: number): Promise<{ claimedUntil: string } | { waitMs: number; limited: boolean }>;
  /** Releases a claim. The next may start after the pause. */
  release(claimedUntil: string, pauseMs: number): Promise<void>;
  limitedForMs(): Promise<number>;
  limit(waitMs: number, isNamed: boolean): Promise<void>;
}

export interface PaceOptions {
  /** Shortest pause from the end of a write to the start of the next; 0: writes go out at once. */
  intervalMs: number;
  /** Longest time for one write. After that, a lost worker no longer blocks others. */
  requestTimeoutMs: number;
}

/** How much further apart slots are than writes, so that the response to one fits before the next. */
const SPACING = 1.25;
/** How many intervals a write waits here for the one before it to end. Longer waits happen elsewhere and cost no worker slot. */
const PATIENCE = 2;

/** Spaces out the writes of a credential, and keeps its limits. */
export function createWritePace(writes: SharedWrites, { intervalMs, requestTimeoutMs }: PaceOptions): WritePace {
  return {
    limitedForMs: () => writes.limitedForMs(),
    limit: (waitMs, isNamed) => writes.limit(waitMs, isNamed),
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
        // A response to another write ends its claim early, so this tries again before the claim would expire.
        await delay(Math.min(claim.waitMs, intervalMs / 4));
      }
    },
  };
}
