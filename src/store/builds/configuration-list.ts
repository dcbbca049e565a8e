import { asc, desc, gt } from 'drizzle-orm';
import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurations } from '../schema.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Build configurations with ids after `after`, each by its newest version, in the order of their ids. */
export async function listConfigurations(
  db: Db,
  { after, limit }: { after: number; limit: number },
): Promise<BuildConfiguration[]> {
  const rows = await db
    .selectDistinctOn([configurations.id])
    .from(configurations)
    .where(gt(configurations.id, after))
    .orderBy(asc(configurations.id), desc(configurations.version))
    .limit(limit);
  return rows.map(configurationFromRow);
}
