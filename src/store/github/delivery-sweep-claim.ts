import type { Db } from '../database.ts';

/**
 * Claims the turn to look for missed webhooks, if the last claim of any process is at least this long ago.
 * @returns the time of the claim, ISO 8601: what was delivered before it is looked at now. Undefined if it is not our turn.
 */
export async function claimDeliverySweep(db: Db, everyMs: number): Promise<string | undefined> {
  const [row] = await db<Array<{ swept_at: string }>>`
    UPDATE delivery_sweeps SET swept_at = clock_timestamp()
    WHERE swept_at <= clock_timestamp() - ${everyMs}::float8 * interval '1 millisecond' RETURNING swept_at`;
  return row?.swept_at;
}
