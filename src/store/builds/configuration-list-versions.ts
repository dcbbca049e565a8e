import { and, desc, eq, lt } from 'drizzle-orm';
import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurations } from '../schema.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Versions of a build configuration before `before`, newest first. */
export async function listConfigurationVersions(
  db: Db,
  id: number,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<BuildConfiguration[]> {
  const rows = await db
    .select()
    .from(configurations)
    .where(and(eq(configurations.id, id), before === undefined ? undefined : lt(configurations.version, before)))
    .orderBy(desc(configurations.version))
    .limit(limit);
  return rows.map(configurationFromRow);
}
