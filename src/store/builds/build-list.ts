import { and, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { BuildListQuery } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import { branchName } from '../../domain/builds/lane.ts';
import type { Db } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { builds } from '../schema.ts';
import { buildFromRow } from './build-row.ts';

/** Which builds a page is of. */
export type BuildFilter = Omit<BuildListQuery, 'cursor' | 'at'> & { after?: Cursor<number> | undefined };

/** One page of builds, newest first. */
export async function listBuilds(db: Db, filter: BuildFilter): Promise<Page<Build, number>> {
  const { status, limit } = filter;
  const rows = await db
    .select()
    .from(builds)
    .where(and(status === undefined ? undefined : eq(builds.status, status), matchesUnchanging(filter)))
    .orderBy(desc(builds.created_at), desc(builds.id))
    .limit(limit + 1);
  return pageOf(rows.map(buildFromRow), limit);
}

/** The conditions of a filter on what never changes of a build, so that they hold at any time. */
export function matchesUnchanging({ ref, config_id, repository, since, until, after }: BuildFilter): SQL | undefined {
  return and(
    ref === undefined ? undefined : inArray(builds.ref, [ref, branchName(ref)]),
    config_id === undefined ? undefined : eq(builds.config_id, config_id),
    repository === undefined ? undefined : eq(builds.repository, repository),
    since === undefined ? undefined : gte(builds.created_at, since),
    until === undefined ? undefined : lt(builds.created_at, until),
    after && sql`(${builds.created_at}, ${builds.id}) < (${after.created_at}::timestamptz, ${after.id}::bigint)`,
  );
}
