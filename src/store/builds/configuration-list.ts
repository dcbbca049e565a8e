import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Build configurations with ids after `after`, each by its newest version, in the order of their ids. */
export async function listConfigurations(
  db: Db,
  { after, limit }: { after: number; limit: number },
): Promise<BuildConfiguration[]> {
  const rows = await db<BuildConfiguration[]>`
    SELECT DISTINCT ON (id) * FROM configurations WHERE id > ${after} ORDER BY id, version DESC LIMIT ${limit}`;
  return rows.map(configurationFromRow);
}
