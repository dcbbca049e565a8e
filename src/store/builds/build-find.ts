import { desc, eq } from 'drizzle-orm';
import type { Build } from '../../domain/builds/build.ts';
import type { Db } from '../database.ts';
import { builds } from '../schema.ts';
import { buildFromRow } from './build-row.ts';

/** The build with this id. */
export async function findBuild(db: Db, id: number): Promise<Build | undefined> {
  const [row] = await db.select().from(builds).where(eq(builds.id, id));
  return row && buildFromRow(row);
}

const { id, status, fingerprint, keyed, dedup_until, config_id, config_version } = builds;
const REQUESTED = { id, status, fingerprint, keyed, dedup_until, config_id, config_version };

/** What a trigger needs to know of the newest build that was requested under this key. */
export async function findBuildByRequestKey(
  db: Db,
  key: string,
): Promise<Pick<Build, keyof typeof REQUESTED> | undefined> {
  const [row] = await db
    .select(REQUESTED)
    .from(builds)
    .where(eq(builds.request_key, key))
    .orderBy(desc(builds.id))
    .limit(1);
  return row;
}

/** The newest build that follows this run of GitHub. */
export async function findBuildByRun(db: Db, runId: number): Promise<Build | undefined> {
  const [row] = await db
    .select()
    .from(builds)
    .where(eq(builds.workflow_run_id, runId))
    .orderBy(desc(builds.id))
    .limit(1);
  return row && buildFromRow(row);
}
