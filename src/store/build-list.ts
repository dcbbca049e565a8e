import { and, desc, eq, gte, lt, sql } from 'drizzle-orm';
import type { BuildListQuery } from '../contracts/build.ts';
import type { Build } from '../domain/build.ts';
import { buildFromRow } from './build-row.ts';
import type { Db } from './database.ts';
import { builds } from './schema.ts';

/** Where a page of builds ends; the next begins after it. */
export interface BuildCursor {
  created_at: string;
  id: number;
}

/** One page of builds, newest first, and where it ends if there are more. */
export async function listBuilds(
  db: Db,
  filter: Omit<BuildListQuery, 'cursor'> & { after?: BuildCursor },
): Promise<{ builds: Build[]; end: BuildCursor | undefined }> {
  const { status, ref, config_id, repository, since, until, after, limit } = filter;
  const rows = await db
    .select()
    .from(builds)
    .where(
      and(
        status === undefined ? undefined : eq(builds.status, status),
        ref === undefined ? undefined : eq(builds.ref, ref),
        config_id === undefined ? undefined : eq(builds.config_id, config_id),
        repository === undefined ? undefined : eq(builds.repository, repository),
        since === undefined ? undefined : gte(builds.created_at, since),
        until === undefined ? undefined : lt(builds.created_at, until),
        after && sql`(${builds.created_at}, ${builds.id}) < (${after.created_at}::timestamptz, ${after.id}::bigint)`,
      ),
    )
    .orderBy(desc(builds.created_at), desc(builds.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    builds: page.map(buildFromRow),
    end: rows.length > limit && last ? { created_at: last.created_at, id: last.id } : undefined,
  };
}
