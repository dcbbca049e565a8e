import type { Db } from '../database.ts';

/**
 * Claims the turn to fire a schedule, so that two of its times never look at the same last build; returns false if another
 * time has the turn. A claim ends by itself, in case its process dies.
 */
export async function claimScheduleTurn(db: Db, schedule: string, time: string, withinMs: number): Promise<boolean> {
  const claimed = await db`
    INSERT INTO schedule_turns AS turn (schedule, time, claimed_until)
    VALUES (${schedule}, ${time}, clock_timestamp() + ${withinMs}::float8 * interval '1 millisecond')
    ON CONFLICT (schedule) DO UPDATE SET time = excluded.time, claimed_until = excluded.claimed_until
    WHERE turn.time = excluded.time OR turn.claimed_until <= clock_timestamp() RETURNING schedule`;
  return claimed.length > 0;
}

/** Gives the turn back. */
export async function releaseScheduleTurn(db: Db, schedule: string, time: string): Promise<void> {
  await db`DELETE FROM schedule_turns WHERE schedule = ${schedule} AND time = ${time}`;
}
