import type { Build } from '../../domain/builds/build.ts';
import { type BuildRow, buildFromRow } from '../builds/build-row.ts';
import type { Db } from '../database.ts';

/** Lists builds of a repository that another program dispatches, created at this time or later, newest first. */
export async function listShadowBuilds(db: Db, repository: string, since: string, limit: number): Promise<Build[]> {
  const rows = await db<BuildRow[]>`
    SELECT * FROM builds
    WHERE repository = ${repository} AND created_at >= ${since} AND request ->> 'shadow' = 'true'
    ORDER BY created_at DESC, id DESC LIMIT ${limit}`;
  return rows.map(buildFromRow);
}
