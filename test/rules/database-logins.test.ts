import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, RUNTIME_ROLE } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { type PostgresServer, startPostgresServer } from '../world/postgres-server.ts';

describe('the database logins of docker-compose.yml (deploy/postgres/roles.sql)', () => {
  let server: PostgresServer;
  const urlOf = (user: string, database: string) => {
    const url = new URL(server.url);
    url.username = user;
    url.pathname = `/${database}`;
    return url.href;
  };
  const refused = async (user: string, database: string, statement: string) => {
    const sql = postgres(urlOf(user, database), { max: 1, onnotice: () => {} });
    const code = await sql.unsafe(statement).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    await sql.end();
    return code === '42501';
  };

  beforeAll(async () => {
    server = await startPostgresServer();
    const admin = postgres(server.url, { max: 1 });
    // psql's own parts: \getenv, and :'name' for a quoted variable.
    const statements = readFileSync(fileURLToPath(new URL('../../deploy/postgres/roles.sql', import.meta.url)), 'utf8')
      .replaceAll(/^(\\|--).*$/gm, '')
      .replaceAll(/:'(\w+)'/g, "'$1'");
    for (const statement of statements.split(';')) if (statement.trim()) await admin.unsafe(statement);
    await admin.end();
    await migrateDatabase(urlOf('hapax_owner', 'hapax'));
  });
  afterAll(() => server.close());

  it('lets the owner migrate again', async () => {
    await migrateDatabase(urlOf('hapax_owner', 'hapax'));
  });

  it('lets the login of API and workers act as the runtime role', async () => {
    const database = openDatabase({ url: urlOf('hapax', 'hapax'), role: RUNTIME_ROLE });
    const [row] = await database.db<Array<{ id: number }>>`SELECT nextval('build_ids') AS id`;
    await database.close();
    expect(row?.id).toBeGreaterThan(0);
  });

  it('lets that login change, remove or unguard no event', async () => {
    for (const statement of [
      "UPDATE events SET type = 'other'",
      'DELETE FROM events',
      'TRUNCATE events',
      'DROP TRIGGER events_append_only ON events',
      'ALTER TABLE events DISABLE TRIGGER ALL',
      'CREATE TABLE mine (id integer)',
      'SET ROLE hapax_owner',
    ]) {
      expect(await refused('hapax', 'hapax', statement), statement).toBe(true);
    }
  });

  it('keeps Temporal and Hapax out of each other', async () => {
    expect(await refused('hapax', 'temporal', 'SELECT 1')).toBe(true);
    expect(await refused('hapax', 'temporal_visibility', 'SELECT 1')).toBe(true);
    expect(await refused('temporal', 'hapax', 'SELECT 1')).toBe(true);
  });
});
