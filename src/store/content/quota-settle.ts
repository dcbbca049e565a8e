import type { Db } from '../database.ts';

/** Saves the result of a call. Its units stay used, since Google bills failed calls too. */
export async function settleQuota(db: Db, key: string, answer: unknown): Promise<void> {
  await db`
    UPDATE quota_calls SET settled_at = ${new Date().toISOString()}, answer = ${JSON.stringify(answer ?? null)}
    WHERE key = ${key} AND settled_at IS NULL`;
}

/** Returns the units of a call that was certainly not sent. */
export async function releaseQuota(db: Db, key: string): Promise<void> {
  await db`
    WITH released AS (DELETE FROM quota_calls WHERE key = ${key} AND settled_at IS NULL RETURNING *)
    UPDATE quota_days SET units_used = units_used - released.units FROM released
    WHERE quota_days.bucket = released.bucket AND day BETWEEN first_day AND last_day`;
}
