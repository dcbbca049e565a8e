import type { BuildListQuery } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import { branchName } from '../../domain/builds/concurrency-group.ts';
import { allOf, type Db, type Fragment } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { type BuildRow, buildFromRow } from './build-row.ts';

/** Which builds a page is of. */
export type BuildFilter = Omit<BuildListQuery, 'cursor' | 'at'> & { after?: Cursor<number> | undefined };

/** One page of builds, newest first. */
export async function listBuilds(db: Db, filter: BuildFilter): Promise<Page<Build, number>> {
  const { status, limit } = filter;
  const rows = await db<BuildRow[]>`
    SELECT * FROM builds
    WHERE ${allOf(db, [status && db`status = ${status}`, matchesUnchanging(db, filter)])}
    ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`;
  return pageOf(rows.map(buildFromRow), limit);
}

/** The conditions of a filter on what never changes of a build, so that they hold at any time. */
export function matchesUnchanging(db: Db, { ref, config_id, repository, since, until, after }: BuildFilter): Fragment {
  return allOf(db, [
    ref === undefined ? undefined : db`builds.ref IN (${ref}, ${branchName(ref)})`,
    config_id === undefined ? undefined : db`builds.config_id = ${config_id}`,
    repository === undefined ? undefined : db`builds.repository = ${repository}`,
    since === undefined ? undefined : db`builds.created_at >= ${since}`,
    until === undefined ? undefined : db`builds.created_at < ${until}`,
    after && db`(builds.created_at, builds.id) < (${after.created_at}, ${after.id})`,
  ]);
}
