import { desc, eq } from 'drizzle-orm';
import type { BuildConfiguration } from '../contracts/configuration.ts';
import type { Db } from './database.ts';
import { configurations } from './schema.ts';

/** The newest version of a build configuration. */
export async function findConfiguration(db: Db, id: number): Promise<BuildConfiguration | undefined> {
  const [row] = await db
    .select()
    .from(configurations)
    .where(eq(configurations.id, id))
    .orderBy(desc(configurations.version))
    .limit(1);
  return row;
}
