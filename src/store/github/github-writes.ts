import type { Db, Fragment } from '../database.ts';

/** A limit that begins this long after the one before is a sign that Hapax did not wait long enough. */
const SOON_AFTER_MS = 60_000;
const LONGEST_GROWN_MS = 3_600_000;

/**
 * Returns what one credential may write to GitHub, shared by all processes. Times are by Postgres's clock; waits are in
 * milliseconds from now.
 */
export function sharedGitHubWrites(db: Db, credential: string) {
  const duration = (ms: number): Fragment => db`${ms}::float8 * interval '1 millisecond'`;
  const msUntil = (time: Fragment): Fragment =>
    db`ceil(extract(epoch FROM ${time} - clock_timestamp()) * 1000)::float8`;

  return {
    /** Takes the next slot for a write. Slots are `spacingMs` apart. @returns how long until it comes. */
    async reserve(spacingMs: number): Promise<number> {
      const spacing = duration(spacingMs);
      const [row] = await db<Array<{ wait_ms: number }>>`
        INSERT INTO github_writes AS known (credential, next_slot_at) VALUES (${credential}, clock_timestamp() + ${spacing})
        ON CONFLICT (credential) DO UPDATE
          SET next_slot_at = greatest(known.next_slot_at, known.limited_until, clock_timestamp()) + ${spacing}
        RETURNING ${msUntil(db`next_slot_at - ${spacing}`)} AS wait_ms`;
      return Math.max(0, row!.wait_ms);
    },

    /**
     * Claims the right to write, if nobody else holds it and GitHub's limits allow it. Nobody else then writes until the claim
     * is released, or `claimedUntil` (as the database writes it) has passed.
     */
    async claim(leaseMs: number): Promise<{ claimedUntil: string } | { waitMs: number; limited: boolean }> {
      const lease = duration(leaseMs);
      const [row] = await db<Array<{ claimed_until: string | null; wait_ms: number | null; limited: boolean | null }>>`
        WITH claimed AS (
          INSERT INTO github_writes AS known (credential, free_at) VALUES (${credential}, clock_timestamp() + ${lease})
          ON CONFLICT (credential) DO UPDATE SET free_at = clock_timestamp() + ${lease}
            WHERE greatest(known.free_at, known.limited_until) <= clock_timestamp()
          RETURNING free_at
        )
        SELECT (SELECT free_at::text FROM claimed) AS claimed_until,
          ${msUntil(db`greatest(free_at, limited_until)`)} AS wait_ms,
          limited_until > clock_timestamp() AS limited
        FROM (SELECT) AS always LEFT JOIN github_writes ON credential = ${credential}`;
      if (row?.claimed_until != null) return { claimedUntil: row.claimed_until };
      return { waitMs: Math.max(1, row?.wait_ms ?? 1), limited: row?.limited === true };
    },

    /** Releases a claim: the next write may begin after the pause. */
    async release(claimedUntil: string, pauseMs: number): Promise<void> {
      await db`
        UPDATE github_writes SET free_at = clock_timestamp() + ${duration(pauseMs)}
        WHERE credential = ${credential} AND free_at = ${claimedUntil}::timestamptz`;
    },

    /**
     * Saves for how long GitHub wants no request.
     * @param isNamed whether GitHub named the time. Otherwise a limit soon after another one is twice as long, up to an hour: GitHub
     * asks for that.
     */
    async limit(waitMs: number, isNamed: boolean): Promise<void> {
      await db`
        INSERT INTO github_writes AS known (credential, limited_until, limit_ms)
        VALUES (${credential}, clock_timestamp() + ${duration(waitMs)}, ${waitMs}::float8)
        ON CONFLICT (credential) DO UPDATE SET (limited_until, limit_ms) = (
          SELECT greatest(known.limited_until, clock_timestamp() + next_ms * interval '1 millisecond'),
            CASE WHEN known.limited_until > clock_timestamp() THEN greatest(known.limit_ms, next_ms) ELSE next_ms END
          FROM (
            SELECT CASE
              WHEN NOT ${isNamed}::boolean
                AND known.limited_until BETWEEN clock_timestamp() - ${duration(SOON_AFTER_MS)} AND clock_timestamp()
              THEN greatest(excluded.limit_ms, least(2 * known.limit_ms, ${LONGEST_GROWN_MS}::float8))
              ELSE excluded.limit_ms
            END AS next_ms
          ) AS next)`;
    },

    /** Returns for how much longer GitHub wants no request; 0 if it accepts them. */
    async limitedForMs(): Promise<number> {
      const [row] = await db<Array<{ wait_ms: number }>>`
        SELECT ${msUntil(db`limited_until`)} AS wait_ms
        FROM github_writes WHERE credential = ${credential} AND limited_until > clock_timestamp()`;
      return Math.max(0, row?.wait_ms ?? 0);
    },
  };
}
