import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Lists the newest versions of build configurations with ids after `after`, by id. */
export async function listConfigurations(
  db: Db,
  { after, limit }: { after: number; limit: number },
): Promise<BuildConfiguration[]> {
  const rows = await db<BuildConfiguration[]>`
    SELECT DISTINCT ON (id) * FROM configurations WHERE id > ${after} ORDER BY id, version DESC LIMIT ${limit}`;
  return rows.map(configurationFromRow);
}
