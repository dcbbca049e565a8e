import type { BuildConfiguration } from '../contracts/configuration.ts';
import { canonicalJson } from '../domain/hash.ts';
import { findConfiguration } from './configuration-find.ts';
import type { Db } from './database.ts';
import { configurations } from './schema.ts';

/** Makes a definition the newest version of a configuration; an equal one stays the version it is. */
export async function saveConfiguration(
  db: Db,
  { id, name, definition }: Pick<BuildConfiguration, 'id' | 'name' | 'definition'>,
): Promise<BuildConfiguration> {
  for (;;) {
    const present = await findConfiguration(db, id);
    if (present && present.name === name && canonicalJson(present.definition) === canonicalJson(definition))
      return present;
    const version = (present?.version ?? 0) + 1;
    const saved = await db
      .insert(configurations)
      .values({ id, version, name, definition, created_at: new Date().toISOString() })
      .onConflictDoNothing()
      .returning();
    if (saved[0]) return saved[0];
  }
}
