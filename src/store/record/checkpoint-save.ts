import type { Db } from '../database.ts';
import type { LogExtent } from './log-tree-grow.ts';

/** A checkpoint that was signed. */
export interface SignedCheckpoint extends LogExtent {
  /** When, ISO 8601. */
  made_at: string;
  /** The note (C2SP tlog-checkpoint). */
  note: string;
  /** What its signature is verified with. */
  verifier_key: string;
}

/** Keeps a checkpoint; of two of the same size, the first. */
export async function saveCheckpoint(
  db: Db,
  { size, end, note, verifier_key }: Omit<SignedCheckpoint, 'made_at'>,
): Promise<void> {
  await db`
    INSERT INTO checkpoints (size, end_position, note, verifier_key) VALUES (${size}, ${end}, ${note}, ${verifier_key})
    ON CONFLICT DO NOTHING`;
}

/** The checkpoint of the largest tree; undefined where none was made. */
export async function findLastCheckpoint(db: Db): Promise<SignedCheckpoint | undefined> {
  const [row] = await db<SignedCheckpoint[]>`
    SELECT size, end_position AS end, made_at, note, verifier_key FROM checkpoints ORDER BY size DESC LIMIT 1`;
  return row;
}
