import type { Db } from '../database.ts';

/** Notes for how long GitHub wants no request with a credential. */
export async function noteGitHubLimit(db: Db, credential: string, waitMs: number): Promise<void> {
  await db`
    INSERT INTO github_writes AS known (credential, limited_until)
    VALUES (${credential}, clock_timestamp() + ${waitMs}::float8 * interval '1 millisecond')
    ON CONFLICT (credential) DO UPDATE SET limited_until = greatest(known.limited_until, excluded.limited_until)`;
}

/** For how many milliseconds more GitHub wants no request with a credential; 0 if it takes them. */
export async function findGitHubLimit(db: Db, credential: string): Promise<number> {
  const [row] = await db<Array<{ wait_ms: number }>>`
    SELECT ceil(extract(epoch FROM limited_until - clock_timestamp()) * 1000)::float8 AS wait_ms
    FROM github_writes WHERE credential = ${credential} AND limited_until > clock_timestamp()`;
  return Math.max(0, row?.wait_ms ?? 0);
}
