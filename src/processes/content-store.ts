import { join, resolve } from 'node:path';
import type { ContentStoreKind } from '../contracts/content/content-settings.ts';
import type { Settings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { postgresContent } from '../store/content/postgres-content.ts';
import { stemWords } from '../store/content/word-stem.ts';
import type { Db } from '../store/database.ts';

/**
 * Opens the store of content that the settings name. SurrealDB is opened at the first query, so that the start succeeds
 * even if its server is away.
 * @throws {UserError} if its packages are not installed.
 */
export async function openContentStore(
  settings: Settings,
  db: Db,
  kind: ContentStoreKind = settings.CONTENT_STORE,
): Promise<ContentStore> {
  if (kind === 'postgres') return postgresContent(db);
  if (settings.DEPLOYMENT_MODE === 'cloud' && settings.SURREALDB_URL === undefined) {
    throw new UserError('SURREALDB_URL: cloud mode needs a SurrealDB server');
  }
  const [{ PackageMissing, SurrealDatabase }, { surrealContent }] = await Promise.all([
    import('../store/surrealdb/surrealdb.ts'),
    import('../store/surrealdb/surreal-content.ts'),
  ]);
  const { SURREALDB_URL: url, SURREALDB_NAMESPACE: namespace, SURREALDB_DATABASE: database } = settings;
  const at =
    url === undefined
      ? { directory: join(resolve(settings.HAPAX_HOME), 'surrealdb') }
      : {
          url,
          user: settings.SURREALDB_USER!,
          password: settings.SURREALDB_PASSWORD!,
          level: settings.SURREALDB_USER_LEVEL,
        };
  const surreal = await SurrealDatabase.load({ at, namespace, database }).catch((error: unknown) => {
    throw error instanceof PackageMissing ? new UserError(`CONTENT_STORE: ${error.message}`) : error;
  });
  return surrealContent({ surreal, stem: (words) => stemWords(db, words) });
}
