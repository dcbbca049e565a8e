import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { GitHubPace } from '../integrations/github/github-requests.ts';
import type { Db } from '../store/database.ts';
import { findGitHubLimit, noteGitHubLimit } from '../store/github/github-limit.ts';
import { claimGitHubWrite, releaseGitHubWrite } from '../store/github/github-write-claim.ts';
import { reserveGitHubWrite } from '../store/github/github-write-reserve.ts';

export interface PaceOptions {
  db: Db;
  /** What is limited: a token, or the id of an app. Only a fingerprint of it is kept. */
  credential: string;
  /** Least pause from the end of a write to the beginning of the next; 0: writes go as they come. */
  intervalMs: number;
  /** Longest that one write takes, after which a worker that was lost blocks nobody. */
  requestTimeoutMs: number;
}

/** Slots are this much further apart than writes, so that the answer of one fits before the next. */
const SPACING = 1.25;
/** A write waits here for the one before it to end for at most so many intervals; longer waits cost no worker slot. */
const PATIENCE = 2;

/** The pace of one credential, kept in the database for all workers. */
export function createGitHubPace({ db, credential, intervalMs, requestTimeoutMs }: PaceOptions): GitHubPace {
  const key = createHash('sha256').update(`hapax github credential\n${credential}`).digest('hex').slice(0, 32);

  return {
    reserve: async () => (intervalMs === 0 ? 0 : reserveGitHubWrite(db, key, intervalMs * SPACING)),

    async claim() {
      if (intervalMs === 0) {
        const waitMs = await findGitHubLimit(db, key);
        return waitMs > 0 ? { waitMs, limited: true } : { release: async () => {} };
      }
      const giveUp = Date.now() + PATIENCE * intervalMs;
      for (;;) {
        const claim = await claimGitHubWrite(db, key, requestTimeoutMs + intervalMs + 5_000);
        if ('claimedUntil' in claim) {
          return { release: () => releaseGitHubWrite(db, key, claim.claimedUntil, intervalMs) };
        }
        if (claim.limited || Date.now() >= giveUp) return claim;
        // The answer of another write ends its claim early, so it is asked again before that would end by itself.
        await delay(Math.min(claim.waitMs, intervalMs / 4));
      }
    },

    limitedForMs: () => findGitHubLimit(db, key),
    limit: (waitMs) => noteGitHubLimit(db, key, waitMs),
  };
}
