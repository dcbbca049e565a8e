import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { prepareEmbeddings } from './content/embedding-prepare.ts';
import { openDatabase } from './database.ts';

const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));

/** Any fixed number: one migration at a time per database, however many processes start together. */
const MIGRATION_LOCK = 4_841_058;

/**
 * Brings the schema up to date as the login user; does nothing where it is. Safe to run from several processes at once.
 * @param sessionRole role to take afterwards, for the embedded Postgres, where all connections share one session.
 */
export async function migrateDatabase(url: string, sessionRole?: string): Promise<void> {
  // On a busy machine an embedded Postgres may be slow to answer just after its start.
  const database = openDatabase({ url, connections: 1, connectTimeoutSeconds: 30 });
  try {
    await database.db.execute(sql`RESET ROLE`);
    await database.db.execute(sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await migrate(database.db, { migrationsFolder: MIGRATIONS });
    await prepareEmbeddings(database.db);
    await database.db.execute(sql`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`);
    if (sessionRole) await database.db.execute(sql`SET ROLE ${sql.identifier(sessionRole)}`);
  } finally {
    await database.close();
  }
}
