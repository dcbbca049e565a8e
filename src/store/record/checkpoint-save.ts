import type { Db } from '../database.ts';
import type { LogExtent } from './log-tree-grow.ts';

/** A signed checkpoint. */
export interface SignedCheckpoint extends LogExtent {
  /** When it was made, ISO 8601. */
  made_at: string;
  /** The note (C2SP tlog-checkpoint). */
  note: string;
  /** The key that verifies its signature. */
  verifier_key: string;
}

/** Saves a checkpoint. Of two with the same size, the first stays. */
export async function saveCheckpoint(
  db: Db,
  { size, end, note, verifier_key }: Omit<SignedCheckpoint, 'made_at'>,
): Promise<void> {
  await db`
    INSERT INTO checkpoints (size, end_position, note, verifier_key) VALUES (${size}, ${end}, ${note}, ${verifier_key})
    ON CONFLICT DO NOTHING`;
}

/** Returns the checkpoint of the largest tree; undefined if there is none. */
export async function findLastCheckpoint(db: Db): Promise<SignedCheckpoint | undefined> {
  const [row] = await db<SignedCheckpoint[]>`
    SELECT size, end_position AS end, made_at, note, verifier_key FROM checkpoints ORDER BY size DESC LIMIT 1`;
  return row;
}

/**
 * Returns the largest checkpoint with at most `most` more events than `size`, else the next larger one; undefined if there is none.
 */
export async function findNextCheckpoint(db: Db, size: number, most: number): Promise<SignedCheckpoint | undefined> {
  const [row] = await db<SignedCheckpoint[]>`
    SELECT size, end_position AS end, made_at, note, verifier_key FROM checkpoints WHERE size > ${size}
    ORDER BY size > ${size + most}, CASE WHEN size > ${size + most} THEN size ELSE -size END LIMIT 1`;
  return row;
}
