import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgresJs from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startEmbeddedPostgres } from '../../src/laptop/embedded-postgres.ts';
import type { Manifest } from '../../src/processes/backup-files.ts';
import { addArtifactsDue } from '../../src/store/builds/artifact-due.ts';
import { type Db, openDatabase, RUNTIME_ROLE } from '../../src/store/database.ts';
import { listBackupTables } from '../../src/store/installation/backup-table-list.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

/** Both are line breaks for many readers of lines, and stand in JSON as they are. */
const ODD = 'one\u2028two\u2029three';

/** All rows that a restore has to bring back, sorted. */
async function rowsOf(db: Db): Promise<Record<string, string[]>> {
  const names = [...(await listBackupTables(db)).map(({ name }) => name), 'events', 'builds', 'tasks'];
  const rows: Record<string, string[]> = {};
  for (const name of names) {
    const found = await db<Array<{ json: string }>>`SELECT to_jsonb(row)::text AS json FROM ${db(name)} AS row`;
    rows[name] = found.map(({ json }) => json).sort();
  }
  return rows;
}

it('copies documents for as long as it takes, while others use the embedded database', async () => {
  const home = await mkdtemp(join(tmpdir(), 'hapax-backup-'));
  const embedded = await startEmbeddedPostgres({ directory: join(home, 'postgres'), idleInTransactionMs: 500 });
  await migrateDatabase(embedded.url, RUNTIME_ROLE);
  const database = openDatabase({ url: embedded.url, connections: 1 });
  try {
    const texts = { id: 'c1', type: 'article', url: 'u', title: 't', text_sha256: '', blob_key: 'slow' };
    const at = new Date().toISOString();
    const row = { ...texts, tags: '[]', version: 1, characters: 1, created_at: at, updated_at: at };
    await database.db`INSERT INTO contents ${database.db(row)}`;
    // A pipe: who reads it waits until this test writes.
    await mkdir(join(home, 'blobs'));
    await promisify(execFile)('mkfifo', [join(home, 'blobs/slow')]);
    const made = hapax(['backup', join(home, 'backup')], { DATABASE_URL: embedded.url, HAPAX_HOME: home });
    const pipe = await open(join(home, 'blobs/slow'), 'w');
    // This waits for the end of the transaction of the backup: its own, or at last by force.
    await database.db`SELECT 1`;
    await pipe.writeFile('of the moon');
    await pipe.close();
    expect(await made).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(home, 'backup/blobs/slow'), 'utf8')).toBe('of the moon');
  } finally {
    await database.close();
    await embedded.close();
    await rm(home, { recursive: true, force: true });
  }
});

describe('hapax backup and restore', () => {
  let world: World;
  let directory: string;
  let home: string;
  let backup: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hapax-backup-'));
    home = join(directory, 'home');
    world = await openWorld('server', { HAPAX_HOME: home, CALLBACK_ALLOWED_HOSTS: '127.0.0.1' });
    await world.call('POST', '/configs', { name: 'other', repository: 'acme/other', workflow: 'build.yml' });
    const callback_url = 'http://127.0.0.1:9/told';
    const { json } = await world.trigger({ ref: 'main', callback_url });
    await world.ended(json.id);
    const kwargs = { url: 'https://youtu.be/dQw4w9WgXcQ', transcript_text: 'The moon pulls at the sea.' };
    const task = await world.call('POST', '/tasks', { name: 'ingest_youtube', kwargs });
    await eventually(async () => {
      expect((await world.call('GET', `/tasks/${task.json.task_id}`)).json.status).toBe('SUCCESS');
    });
    const odd = { name: 'ingest_youtube', kwargs: { ...kwargs, transcript_text: ODD }, task_id: ODD };
    expect((await world.call('POST', '/tasks', odd)).status).toBe(202);
    await eventually(async () => {
      expect((await world.call('GET', `/tasks/${encodeURIComponent(ODD)}`)).json.status).toBe('SUCCESS');
    });
    await world.db`UPDATE contents SET title = ${ODD}`;
    await addArtifactsDue(world.db, 1);
    // A build that goes on while the copy is made.
    await world.trigger({ ref: 'stuck', inputs: { simulate: 'stuck' } });
    backup = join(directory, 'backup');
    const made = await hapax(['backup', backup], { DATABASE_URL: world.databaseUrl, HAPAX_HOME: home });
    expect(made).toMatchObject({ code: 0, stderr: '' });
  });
  afterAll(async () => {
    await world.close();
    await rm(directory, { recursive: true, force: true });
  });

  const manifest = async (): Promise<Manifest> => JSON.parse(await readFile(join(backup, 'manifest.json'), 'utf8'));

  it('makes a copy that anybody can verify, and that only its owner can read', async () => {
    const { head, blobs, tables } = await manifest();
    const values = await readFile(join(backup, 'tables/event_values.ndjson'), 'utf8');
    expect(values).toContain('The moon pulls at the sea.');
    expect(tables).toContainEqual(expect.objectContaining({ name: 'artifact_progress', lines: 1 }));
    const verified = await hapax(['backup', 'verify', backup], {});
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining(`head ${head}`) });
    const log = await hapax(['audit', 'verify', join(backup, 'events.ndjson'), '--head', head], {});
    expect(log.code).toBe(0);
    expect(blobs).toEqual([expect.objectContaining({ included: true, key: expect.stringMatching(/^sources\//) })]);
    for (const path of ['', 'manifest.json', 'events.ndjson', 'tables/callback_targets.ndjson']) {
      expect((await stat(join(backup, path))).mode & 0o077, path).toBe(0);
    }
  });

  it('says that all has to be compared again if something was not resolved', async () => {
    const stated = async () => {
      const path = join(directory, randomUUID());
      expect(await hapax(['backup', path], { DATABASE_URL: world.databaseUrl, HAPAX_HOME: home })).toMatchObject({
        code: 0,
      });
      return (JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')) as Manifest).installation.reconciled_at;
    };
    await world.db`UPDATE installation SET reconciled_at = '2026-11-21T10:00:00Z', unresolved = 0`;
    expect(await stated()).toBe('2026-11-21T10:00:00.000Z');
    await world.db`UPDATE installation SET unresolved = 1`;
    expect(await stated()).toBeNull();
  });

  it('overwrites nothing, and leaves nothing half-made', async () => {
    const again = await hapax(['backup', backup], { DATABASE_URL: world.databaseUrl });
    expect(again.stderr).toBe(`hapax: ${backup} exists; a backup does not overwrite a directory\n`);
    const nowhere = join(directory, 'not-there', 'backup');
    const away = await hapax(['backup', nowhere], { DATABASE_URL: 'postgres://127.0.0.1:9/none' });
    expect(away.code).toBe(1);
    await expect(stat(`${nowhere}.part`)).rejects.toThrow('ENOENT');
  });

  it.each([
    ['a table', 'tables/configurations.ndjson'],
    ['the log', 'events.ndjson'],
    ['a document', ''],
  ])('names a change of %s, and is not restored then', async (_, path) => {
    const changed = join(directory, randomUUID());
    await cp(backup, changed, { recursive: true });
    const [blob] = (await manifest()).blobs;
    await appendFile(join(changed, path || `blobs/${blob!.key}`), ' \n');
    const verified = await hapax(['backup', 'verify', changed], {});
    expect(verified).toMatchObject({ code: 1, stdout: expect.stringContaining(': was changed') });
    const restored = await hapax(['restore', changed], { HAPAX_HOME: join(directory, randomUUID()) });
    expect(restored).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is damaged, and nothing was restored'),
    });
  });

  async function expectRestored(db: Db, databaseUrl: string | undefined, restoredHome: string): Promise<void> {
    // Only the embedded Postgres has a table for vectors here.
    expect(await rowsOf(db)).toMatchObject(await rowsOfBackup());
    const [next] = await db<Array<{ id: string }>>`SELECT nextval('build_ids') AS id`;
    expect(Number(next!.id)).toBe(1_000_001);
    const [made] = await db<Array<{ id: string }>>`SELECT nextval('configuration_ids') AS id`;
    expect(Number(made!.id)).toBe(1_001);
    const [{ epoch, id } = {}] = await db`SELECT epoch, id FROM installation`;
    expect({ epoch, id }).toEqual({ epoch: 2, id: (await manifest()).installation.id });
    const [blob] = (await manifest()).blobs;
    expect(await readFile(join(restoredHome, 'blobs', blob!.key), 'utf8')).toBe(
      await readFile(join(home, 'blobs', blob!.key), 'utf8'),
    );
    if (databaseUrl === undefined) return;
    const { head } = await manifest();
    expect(await hapax(['audit', 'verify', '--head', head], { DATABASE_URL: databaseUrl })).toMatchObject({ code: 0 });
  }

  /** The rows that the copy holds; the projections are those of the running world as of the copy. */
  async function rowsOfBackup(): Promise<Record<string, string[]>> {
    const stated = await manifest();
    const lines = async (path: string) =>
      (await readFile(join(backup, path), 'utf8')).split('\n').filter((line) => line !== '');
    const rows: Record<string, string[]> = { events: expect.anything() as never };
    for (const { name, path } of stated.tables) rows[name] = (await lines(path)).sort();
    return { ...rows, builds: expect.anything() as never, tasks: expect.anything() as never };
  }

  /** An empty database on a server, until `use` ends. */
  async function inEmptyDatabase(use: (url: string) => Promise<void>): Promise<void> {
    const name = `hapax_${randomUUID().replaceAll('-', '')}`;
    const admin = postgresJs(inject('postgresUrl'), { max: 1, onnotice: () => {} });
    await admin.unsafe(`CREATE DATABASE ${name}`);
    const url = new URL(inject('postgresUrl'));
    url.pathname = `/${name}`;
    try {
      await use(url.href);
    } finally {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    }
  }

  it('brings everything back into an empty server, in a new epoch', () =>
    inEmptyDatabase(async (url) => {
      const environment = { DATABASE_URL: url, HAPAX_HOME: join(directory, 'server') };
      const restored = await hapax(['restore', backup], environment);
      expect(restored).toMatchObject({ code: 0, stderr: '' });
      const twice = await hapax(['restore', backup], environment);
      expect(twice).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('the database is not empty (table events)'),
      });
      const database = openDatabase({ url });
      await expectRestored(database.db, url, join(directory, 'server'));
      await database.close();
    }));

  it('asks no forge about runs that ended before a copy of an earlier version', () =>
    inEmptyDatabase(async (url) => {
      const earlier = join(directory, randomUUID());
      await cp(backup, earlier, { recursive: true });
      const stated = await manifest();
      const tables = stated.tables.filter(({ name }) => !name.startsWith('artifact'));
      await writeFile(join(earlier, 'manifest.json'), JSON.stringify({ ...stated, tables }));
      const restored = await hapax(['restore', earlier], { DATABASE_URL: url, HAPAX_HOME: join(directory, 'earlier') });
      expect(restored).toMatchObject({ code: 0, stderr: '' });
      const database = openDatabase({ url });
      const [log] = await database.db<[{ last: number }]>`SELECT max(position) AS last FROM events`;
      await addArtifactsDue(database.db, log.last);
      expect(await database.db`SELECT FROM artifacts_due`).toHaveLength(0);
      await database.close();
    }));

  it('brings everything back into a laptop that lost its disk', async () => {
    const lost = join(directory, 'laptop');
    const restored = await hapax(['restore', backup], { HAPAX_HOME: lost });
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    const embedded = await startEmbeddedPostgres({ directory: join(lost, 'postgres') });
    const database = openDatabase({ url: embedded.url });
    await expectRestored(database.db, undefined, lost);
    await database.close();
    await embedded.close();
  });

  it('says what is no backup', async () => {
    await writeFile(join(directory, 'manifest.json'), '{}');
    const strange = await hapax(['backup', 'verify', directory], {});
    expect(strange.stderr).toContain('is not a manifest that this version can read');
    const none = await hapax(['restore', join(directory, 'none')], {});
    expect(none.stderr).toMatch(/^hapax: .*none is not a backup: ENOENT/);
  });
});
