import type { Db } from '../database.ts';

/** A claim to write now; or how long to wait for one, and whether GitHub's limits are the reason. */
export type GitHubWriteClaim =
  /** Nobody else writes until the claim is released, or this time (as the database writes it) has passed. */
  { claimedUntil: string } | { waitMs: number; limited: boolean };

/** Claims the right to write with a credential, if nobody else holds it and GitHub's limits allow it. */
export async function claimGitHubWrite(db: Db, credential: string, leaseMs: number): Promise<GitHubWriteClaim> {
  const lease = db`${leaseMs}::float8 * interval '1 millisecond'`;
  const [row] = await db<Array<{ claimed_until: string | null; wait_ms: number | null; limited: boolean | null }>>`
    WITH claimed AS (
      INSERT INTO github_writes AS known (credential, free_at) VALUES (${credential}, clock_timestamp() + ${lease})
      ON CONFLICT (credential) DO UPDATE SET free_at = clock_timestamp() + ${lease}
        WHERE greatest(known.free_at, known.limited_until) <= clock_timestamp()
      RETURNING free_at
    )
    SELECT (SELECT free_at::text FROM claimed) AS claimed_until,
      ceil(extract(epoch FROM greatest(free_at, limited_until) - clock_timestamp()) * 1000)::float8 AS wait_ms,
      limited_until > clock_timestamp() AS limited
    FROM (SELECT) AS always LEFT JOIN github_writes ON credential = ${credential}`;
  if (row?.claimed_until != null) return { claimedUntil: row.claimed_until };
  return { waitMs: Math.max(1, row?.wait_ms ?? 1), limited: row?.limited === true };
}

/** Releases a claim: the next write may begin after the pause. */
export async function releaseGitHubWrite(
  db: Db,
  credential: string,
  claimedUntil: string,
  pauseMs: number,
): Promise<void> {
  await db`
    UPDATE github_writes SET free_at = clock_timestamp() + ${pauseMs}::float8 * interval '1 millisecond'
    WHERE credential = ${credential} AND free_at = ${claimedUntil}::timestamptz`;
}
