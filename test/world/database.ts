import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgresJs from 'postgres';
import { inject } from 'vitest';
import { startEmbeddedPostgres } from '../../src/laptop/embedded-postgres.ts';
import { openDatabase, RUNTIME_ROLE } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';

/** Both kinds of Postgres; what must hold on one must hold on the other. */
export const DATABASES = ['embedded', 'server'] as const;
export type DatabaseKind = (typeof DATABASES)[number];

/** A new database of a kind, migrated: a copy of one that the run has migrated, which takes a tenth of the time. */
export async function openTestDatabase(kind: DatabaseKind) {
  const postgres = kind === 'embedded' ? await embeddedDatabase() : await serverDatabase();
  await migrateDatabase(postgres.url, kind === 'embedded' ? RUNTIME_ROLE : undefined);
  const database = openDatabase({ url: postgres.url, role: RUNTIME_ROLE });
  // No two installations have the same id, also where one is a copy.
  await database.db`UPDATE installation SET id = DEFAULT`;
  return {
    url: postgres.url,
    db: database.db,
    async close() {
      await database.close();
      await postgres.close();
    },
  };
}

async function embeddedDatabase() {
  const home = await mkdtemp(join(tmpdir(), 'hapax-db-'));
  const directory = join(home, 'postgres');
  await cp(await migratedDirectory(), directory, { recursive: true });
  const embedded = await startEmbeddedPostgres({ directory, fsync: false });
  return {
    url: embedded.url,
    async close() {
      await embedded.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Made by the first test file of the run that asks; two at once both make it, and one of them stays. */
async function migratedDirectory(): Promise<string> {
  const directory = join(inject('runDirectory'), 'migrated');
  if (existsSync(directory)) return directory;
  const draft = `${directory}-${randomUUID()}`;
  const embedded = await startEmbeddedPostgres({ directory: draft, fsync: false });
  await migrateDatabase(embedded.url);
  await embedded.close();
  await rename(draft, directory).catch((error: unknown) => {
    if (!existsSync(directory)) throw error;
  });
  return directory;
}

async function serverDatabase() {
  const name = `hapax_${randomUUID().replaceAll('-', '')}`;
  const server = inject('postgresUrl');
  const admin = postgresJs(server, { max: 1, onnotice: () => {} });
  await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${inject('postgresTemplate')}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async close() {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
