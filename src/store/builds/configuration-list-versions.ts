import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Lists versions of a build configuration before `before`, newest first. */
export async function listConfigurationVersions(
  db: Db,
  id: number,
  { before = 2 ** 31 - 1, limit }: { before: number | undefined; limit: number },
): Promise<BuildConfiguration[]> {
  const rows = await db<BuildConfiguration[]>`
    SELECT * FROM configurations WHERE id = ${id} AND version < ${before} ORDER BY version DESC LIMIT ${limit}`;
  return rows.map(configurationFromRow);
}
