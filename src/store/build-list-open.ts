import { asc, isNull } from 'drizzle-orm';
import type { Build } from '../domain/build.ts';
import { buildFromRow } from './build-row.ts';
import type { Db } from './database.ts';
import { builds } from './schema.ts';

/** Every build that has not ended, oldest first. */
export async function listOpenBuilds(db: Db): Promise<Build[]> {
  const rows = await db.select().from(builds).where(isNull(builds.completed_at)).orderBy(asc(builds.id));
  return rows.map(buildFromRow);
}
