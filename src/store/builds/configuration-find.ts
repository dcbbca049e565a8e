import { and, desc, eq, sql } from 'drizzle-orm';
import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurations } from '../schema.ts';
import { configurationFromRow } from './configuration-row.ts';

/** The newest version of a build configuration. */
export async function findConfiguration(db: Db, id: number): Promise<BuildConfiguration | undefined> {
  const [row] = await db
    .select()
    .from(configurations)
    .where(eq(configurations.id, id))
    .orderBy(desc(configurations.version))
    .limit(1);
  return row && configurationFromRow(row);
}

/** The newest version of the build configuration that has this name now. */
export async function findConfigurationByName(db: Db, name: string): Promise<BuildConfiguration | undefined> {
  const [row] = await db
    .select()
    .from(configurations)
    .where(
      and(
        eq(configurations.name, name),
        sql`NOT EXISTS (SELECT FROM configurations later WHERE later.id = ${configurations.id} AND later.version > ${configurations.version})`,
      ),
    );
  return row && configurationFromRow(row);
}

/** One version of a build configuration. */
export async function findConfigurationVersion(
  db: Db,
  id: number,
  version: number,
): Promise<BuildConfiguration | undefined> {
  const [row] = await db
    .select()
    .from(configurations)
    .where(and(eq(configurations.id, id), eq(configurations.version, version)));
  return row && configurationFromRow(row);
}
