import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { Db } from '../database.ts';
import { configurationFromRow } from './configuration-row.ts';

/** Finds the newest version of a build configuration. */
export async function findConfiguration(db: Db, id: number): Promise<BuildConfiguration | undefined> {
  const [row] = await db<BuildConfiguration[]>`
    SELECT * FROM configurations WHERE id = ${id} ORDER BY version DESC LIMIT 1`;
  return row && configurationFromRow(row);
}

/** Finds the newest version of the build configuration that has this name now. */
export async function findConfigurationByName(db: Db, name: string): Promise<BuildConfiguration | undefined> {
  const [row] = await db<BuildConfiguration[]>`
    SELECT * FROM configurations AS present
    WHERE name = ${name}
      AND NOT EXISTS (SELECT FROM configurations later WHERE later.id = present.id AND later.version > present.version)`;
  return row && configurationFromRow(row);
}

/** Finds one version of a build configuration. */
export async function findConfigurationVersion(
  db: Db,
  id: number,
  version: number,
): Promise<BuildConfiguration | undefined> {
  const [row] = await db<BuildConfiguration[]>`SELECT * FROM configurations WHERE id = ${id} AND version = ${version}`;
  return row && configurationFromRow(row);
}
