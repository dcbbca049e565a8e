import type { Db } from '../database.ts';

/**
 * Takes the next slot for a write with a credential. Slots are `spacingMs` apart over all processes.
 * @returns the milliseconds until the slot.
 */
export async function reserveGitHubWrite(db: Db, credential: string, spacingMs: number): Promise<number> {
  const spacing = db`${spacingMs}::float8 * interval '1 millisecond'`;
  const [row] = await db<Array<{ wait_ms: number }>>`
    INSERT INTO github_writes AS known (credential, next_slot_at) VALUES (${credential}, clock_timestamp() + ${spacing})
    ON CONFLICT (credential) DO UPDATE
      SET next_slot_at = greatest(known.next_slot_at, known.limited_until, clock_timestamp()) + ${spacing}
    RETURNING ceil(extract(epoch FROM next_slot_at - ${spacing} - clock_timestamp()) * 1000)::float8 AS wait_ms`;
  return Math.max(0, row!.wait_ms);
}
