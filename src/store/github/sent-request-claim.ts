import type { Db } from '../database.ts';

/** Claims a request to GitHub for the process that is about to send it; returns false if it was claimed before. */
export async function claimRequest(db: Db, key: string): Promise<boolean> {
  const claimed = await db`
    INSERT INTO sent_requests (key, claimed_at) VALUES (${key}, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING key`;
  return claimed.length > 0;
}
