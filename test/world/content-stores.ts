import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { stemWords } from '../../src/store/content/word-stem.ts';
import { type Db, openDatabase, RUNTIME_ROLE } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { surrealContent } from '../../src/store/surrealdb/surreal-content.ts';
import { SurrealDatabase, type SurrealOptions } from '../../src/store/surrealdb/surrealdb.ts';
import { openTestDatabase } from './database.ts';
import { findPgvectorServer } from './pgvector-server.ts';
import { startPostgresServer } from './postgres-server.ts';
import { startSurrealServer } from './surrealdb-server.ts';

/** A store of content, with the Postgres of its record. */
export interface OpenStore {
  content: ContentStore;
  /** Of the record; with content in Postgres, of that too. */
  db: Db;
  databaseUrl: string;
  /** Where content is in SurrealDB. */
  surreal: SurrealDatabase | undefined;
  close(): Promise<void>;
}

const pgvector = await findPgvectorServer();

async function inPostgres(opening: ReturnType<typeof openTestDatabase>): Promise<OpenStore> {
  const { db, url, close } = await opening;
  return { content: postgresContent(db), db, databaseUrl: url, surreal: undefined, close };
}

async function pgvectorDatabase() {
  const server = await startPostgresServer(pgvector);
  await migrateDatabase(server.url);
  const database = openDatabase({ url: server.url, role: RUNTIME_ROLE });
  return {
    url: server.url,
    db: database.db,
    async close() {
      await database.close();
      await server.close();
    },
  };
}

/** Content in the SurrealDB at a place, with the words of a Postgres of its own. */
async function inSurreal(at: SurrealOptions['at'], closePlace: () => Promise<unknown>): Promise<OpenStore> {
  const { db, url, close } = await openTestDatabase('server');
  const surreal = await SurrealDatabase.load({ at, namespace: 'hapax', database: 'hapax' });
  const content = surrealContent({ surreal, stem: (words) => stemWords(db, words) });
  return {
    content,
    db,
    databaseUrl: url,
    surreal,
    async close() {
      await Promise.all([content.close(), close()]);
      await closePlace();
    },
  };
}

async function embeddedSurreal(): Promise<OpenStore> {
  const home = await mkdtemp(join(tmpdir(), 'hapax-surrealdb-'));
  return inSurreal({ directory: join(home, 'of this test') }, () => rm(home, { recursive: true, force: true }));
}

async function serverSurreal(): Promise<OpenStore> {
  const server = await startSurrealServer();
  const { url } = server;
  return inSurreal({ url, user: 'hapax', password: server.password, level: 'database' }, () => server.close());
}

/** Every store of content, on every kind of server: what must hold of one must hold of all. */
export const CONTENT_STORES: Record<string, { open: () => Promise<OpenStore>; vectors: boolean }> = {
  'embedded Postgres': { open: () => inPostgres(openTestDatabase('embedded')), vectors: true },
  'Postgres server without pgvector': { open: () => inPostgres(openTestDatabase('server')), vectors: false },
  ...(pgvector
    ? { 'Postgres server with pgvector': { open: () => inPostgres(pgvectorDatabase()), vectors: true } }
    : {}),
  'embedded SurrealDB': { open: embeddedSurreal, vectors: true },
  'SurrealDB server': { open: serverSurreal, vectors: true },
};

/** One of each kind that keeps vectors. */
export const STORES_WITH_VECTORS = ['embedded Postgres', 'embedded SurrealDB'] as const;

export function openContentStore(name: keyof typeof CONTENT_STORES): Promise<OpenStore> {
  return CONTENT_STORES[name]!.open();
}
