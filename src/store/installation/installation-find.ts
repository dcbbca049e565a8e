import type { Db } from '../database.ts';

/** The identity of this record, and the result of the last comparison with Temporal. */
export interface Installation {
  id: string;
  /** How many times the record was set back to an earlier state, plus one. */
  epoch: number;
  /** When the last comparison with Temporal began, ISO 8601; null before the first. */
  reconciled_at: string | null;
  /** How many builds and tasks differed then. */
  differences: number;
  /** How many of those still differ. */
  unresolved: number;
  /** The last epoch in which the runs of the forges were compared with the record. */
  reconciled_epoch: number;
}

/** Finds the installation that this record belongs to. */
export async function findInstallation(db: Db): Promise<Installation> {
  const [row] = await db<Installation[]>`
    SELECT id, epoch, reconciled_at, differences, unresolved, reconciled_epoch FROM installation`;
  return row!;
}
