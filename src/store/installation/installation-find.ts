import { sql } from 'drizzle-orm';
import type { Db } from '../database.ts';

/** What identifies this record, and what the last comparison with Temporal found. */
export interface Installation {
  id: string;
  /** How many times the record was set back to an earlier state, and one. */
  epoch: number;
  /** When the last comparison with Temporal began, ISO 8601; null before the first. */
  reconciled_at: string | null;
  /** How many builds and tasks differed then. */
  differences: number;
  /** How many of those still do. */
  unresolved: number;
}

/** The installation that this record belongs to. */
export async function findInstallation(db: Db): Promise<Installation> {
  const [row] = await db.execute<Omit<Installation, 'reconciled_at'> & { reconciled_ms: number | null }>(sql`
    SELECT id, epoch, (extract(epoch FROM reconciled_at) * 1000)::float8 AS reconciled_ms, differences, unresolved
    FROM installation`);
  const { reconciled_ms, ...known } = row!;
  return { ...known, reconciled_at: reconciled_ms === null ? null : new Date(Number(reconciled_ms)).toISOString() };
}
