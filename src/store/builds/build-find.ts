import type { ForgePlace } from '../../contracts/forges/forge.ts';
import type { Build } from '../../domain/builds/build.ts';
import type { Db } from '../database.ts';
import { type BuildRow, buildFromRow } from './build-row.ts';

/** Finds the build with this id. */
export async function findBuild(db: Db, id: number): Promise<Build | undefined> {
  const [row] = await db<BuildRow[]>`SELECT * FROM builds WHERE id = ${id}`;
  return row && buildFromRow(row);
}

/** The fields of a build that a trigger needs. */
export type RequestedBuild = Pick<
  Build,
  'id' | 'status' | 'fingerprint' | 'keyed' | 'dedup_until' | 'config_id' | 'config_version'
> & { forge: ForgePlace | null };

/** Finds the newest build requested under this key, with only the fields that a trigger needs. */
export async function findBuildByRequestKey(db: Db, key: string): Promise<RequestedBuild | undefined> {
  const [row] = await db<RequestedBuild[]>`
    SELECT id, status, fingerprint, keyed, dedup_until, config_id, config_version, request -> 'forge' AS forge
    FROM builds WHERE request_key = ${key} ORDER BY id DESC LIMIT 1`;
  return row;
}

/**
 * Finds the newest build that follows this run. Each forge numbers its runs separately.
 * @param credential of the forge; undefined: GitHub, with the credential of the settings.
 */
export async function findBuildByRun(db: Db, runId: number, credential?: string): Promise<Build | undefined> {
  const [row] = await db<BuildRow[]>`
    SELECT * FROM builds
    WHERE workflow_run_id = ${runId} AND request -> 'forge' ->> 'credential' IS NOT DISTINCT FROM ${credential ?? null}
    ORDER BY id DESC LIMIT 1`;
  return row && buildFromRow(row);
}
