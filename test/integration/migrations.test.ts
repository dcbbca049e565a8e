import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { eventHash, GENESIS_HASH } from '../../src/domain/record/hash.ts';
import { migrateServer } from '../../src/processes/migrate-server.ts';
import { findBuild } from '../../src/store/builds/build-find.ts';
import { listBuilds } from '../../src/store/builds/build-list.ts';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { type Database, type Db, openDatabase, RUNTIME_ROLE } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { eventually } from '../world/eventually.ts';
import { type PostgresServer, startPostgresServer } from '../world/postgres-server.ts';
import { queuedBuild } from '../world/queued-build.ts';

const MIGRATIONS = fileURLToPath(new URL('../../src/store/migrations/', import.meta.url));
/** The schema that the version before serves on. It reads builds as today, and accepts them as {@link accept} does. */
const OLDER = '0021_task_parents.sql';
/** What a version to come may do, each in its way. */
const LATER = {
  '9001_columns.sql': `ALTER TABLE events ADD COLUMN note text;
    --> statement-breakpoint
    ALTER TABLE builds ADD COLUMN weight integer NOT NULL DEFAULT 1, ALTER COLUMN ref DROP NOT NULL;`,
  '9002_index.sql': `DROP INDEX CONCURRENTLY IF EXISTS builds_by_weight;
    --> statement-breakpoint
    CREATE INDEX CONCURRENTLY builds_by_weight ON builds (weight, id);`,
  '9003_constraint.sql': `ALTER TABLE builds ADD CONSTRAINT light CHECK (weight < 100) NOT VALID;
    --> statement-breakpoint
    ALTER TABLE builds VALIDATE CONSTRAINT light;`,
};

describe('migrations, while the version before serves', () => {
  let server: PostgresServer;
  let folder: string;
  let database: Database;
  let columns: string[];
  beforeEach(async () => {
    server = await startPostgresServer();
    folder = await mkdtemp(join(tmpdir(), 'hapax-migrations-'));
    await add((name) => name <= OLDER);
    await migrate();
    database = openDatabase({ url: server.url, role: RUNTIME_ROLE });
    const known = await database.db<Array<{ name: string }>>`
      SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'builds'`;
    columns = known.map(({ name }) => name);
  });
  afterEach(async () => {
    await database.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const migrate = () => migrateDatabase(server.url, undefined, pathToFileURL(`${folder}/`));
  async function add(isWanted: (name: string) => boolean): Promise<void> {
    for (const name of (await readdir(MIGRATIONS)).filter(isWanted))
      await copyFile(join(MIGRATIONS, name), join(folder, name));
  }

  it('let writers and readers go on, and lose nothing', async () => {
    await add((name) => name > OLDER);
    for (const [name, text] of Object.entries(LATER)) await writeFile(join(folder, name), text);
    const service = serve(database.db, columns);
    await eventually(() => expect(service.builds()).toBeGreaterThan(20));
    await migrate();
    const builds = service.builds();
    await eventually(() => expect(service.builds()).toBeGreaterThan(builds + 20));
    const { written, longestMs } = await service.stop();
    const [row] = await database.db<Array<{ events: number; builds: number; light: number }>>`
      SELECT (SELECT count(*) FROM events) AS events, count(*) AS builds, sum(weight) AS light FROM builds`;
    expect(row).toEqual({ events: written, builds: written, light: written });
    const indexes = await database.db`
      SELECT indisvalid FROM pg_index WHERE indexrelid = 'builds_by_weight'::regclass`;
    expect([...indexes]).toEqual([{ indisvalid: true }]);
    // What the rules for migrations are for: no rewrite and no check of all rows under a lock.
    expect(longestMs).toBeLessThan(30_000);
  });

  it('give way where a long query holds a table, and go on after it', async () => {
    await writeFile(join(folder, '9001_columns.sql'), LATER['9001_columns.sql']);
    const long = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => long.close());
    await long.db`BEGIN`;
    await long.db`SELECT count(*) FROM events`;
    let migrated = false;
    const migrating = migrate().then(() => {
      migrated = true;
    });
    migrating.catch(() => {});
    // It has waited for its lock, given up and begun anew, at least once.
    const service = serve(database.db, columns);
    await eventually(async () => {
      const [row] = await database.db<Array<{ aborted: number }>>`
        SELECT xact_rollback AS aborted FROM pg_stat_database WHERE datname = current_database()`;
      expect(row?.aborted).toBeGreaterThan(0);
      expect(service.builds()).toBeGreaterThan(20);
    });
    expect(migrated).toBe(false);
    await long.db`COMMIT`;
    await migrating;
    const { longestMs } = await service.stop();
    // Nobody waited behind it for longer than it waits itself, here with room for a busy machine.
    expect(longestMs).toBeLessThan(30_000);
  });

  it('give way to a process that waits for them and holds what they wait for', async () => {
    await writeFile(join(folder, '9001_columns.sql'), LATER['9001_columns.sql']);
    const serving = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => serving.close());
    await serving.db`BEGIN`;
    await serving.db`LOCK TABLE builds IN ROW EXCLUSIVE MODE`;
    const migrating = migrate();
    migrating.catch(() => {});
    await eventually(async () => {
      const waiting = await database.db`SELECT FROM pg_locks WHERE relation = 'builds'::regclass AND NOT granted`;
      expect(waiting).toHaveLength(1);
    });
    // Postgres looks for who waits for whom after a second, and ends one of them.
    await serving.db`LOCK TABLE events IN ROW EXCLUSIVE MODE`;
    await serving.db`COMMIT`;
    await migrating;
  });

  it('get past an automatic vacuum, which Postgres ends only for those who wait for it longer', async () => {
    const owner = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => owner.close());
    // A vacuum that takes minutes.
    for (const setting of ['naptime = 1', 'vacuum_cost_delay = 100', 'vacuum_cost_limit = 1'])
      await owner.db.unsafe(`ALTER SYSTEM SET autovacuum_${setting}`);
    await owner.db`SELECT pg_reload_conf()`;
    await owner.db`CREATE TABLE wide (note text) WITH (autovacuum_vacuum_insert_threshold = 0, fillfactor = 10)`;
    await owner.db`INSERT INTO wide SELECT repeat('x', 500) FROM generate_series(1, 5000)`;
    await eventually(async () => {
      const vacuums = await owner.db`
        SELECT FROM pg_locks WHERE relation = 'wide'::regclass AND mode = 'ShareUpdateExclusiveLock' AND granted`;
      expect(vacuums).toHaveLength(1);
    });
    await writeFile(join(folder, '9001_wide.sql'), 'ALTER TABLE wide ADD COLUMN more text');
    await migrate();
    const noted = await owner.db`SELECT FROM drizzle.__drizzle_migrations WHERE hash = '9001_wide.sql'`;
    expect(noted).toHaveLength(1);
  });

  it('build an index anew where a run before was cut off', async () => {
    const unique = `DROP INDEX CONCURRENTLY IF EXISTS builds_once;
      --> statement-breakpoint
      CREATE UNIQUE INDEX CONCURRENTLY builds_once ON builds (caller);`;
    await writeFile(join(folder, '9001_index.sql'), unique);
    for (const id of [1, 2]) await accept(database.db, columns, id);
    await expect(migrate()).rejects.toThrow('could not create unique index');
    const isValid = async () => {
      const rows = await database.db<Array<{ indisvalid: boolean }>>`
        SELECT indisvalid FROM pg_index WHERE indexrelid = 'builds_once'::regclass`;
      return rows[0]?.indisvalid;
    };
    expect(await isValid()).toBe(false);
    const owner = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => owner.close());
    await owner.db`UPDATE builds SET caller = 'other' WHERE id = 2`;
    await migrate();
    expect(await isValid()).toBe(true);
  });

  it('give up where another process holds their lock, as a connection pooler does for ever', async () => {
    const pooler = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => pooler.close());
    await pooler.db`SELECT pg_advisory_lock(4841058)`;
    const migrating = migrateDatabase(server.url, undefined, pathToFileURL(`${folder}/`), 0);
    await expect(migrating).rejects.toThrow('connect to Postgres itself');
    await pooler.db`SELECT pg_advisory_unlock(4841058)`;
    await migrate();
  });

  it('wait for another process longer than START_TIMEOUT, which is for a server that does not respond', async () => {
    const other = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => other.close());
    await other.db`SELECT pg_advisory_lock(4841058)`;
    const said: string[] = [];
    const migrating = migrateServer(server.url, { timeoutMs: 1_000, say: (line) => said.push(line) });
    await Promise.race([
      migrating,
      eventually(async () => expect(said.join()).toMatch(/waiting for another migration, for \d+ s/)),
    ]);
    await other.db`SELECT pg_advisory_unlock(4841058)`;
    await migrating;
  });

  it('run once, however many processes start together with an index to build', async () => {
    await writeFile(join(folder, '9002_index.sql'), LATER['9002_index.sql'].replaceAll('weight', 'ref'));
    await Promise.all([migrate(), migrate(), migrate()]);
    const owner = openDatabase({ url: server.url, connections: 1 });
    onTestFinished(() => owner.close());
    const noted = await owner.db`SELECT hash FROM drizzle.__drizzle_migrations WHERE hash = '9002_index.sql'`;
    expect(noted).toHaveLength(1);
  });
});

/**
 * Accepts a build as the version before: all values are in the event, and nothing is beside the log.
 * @param columns those of builds that it knows.
 */
async function accept(db: Db, columns: string[], id: number): Promise<void> {
  const { type, data, occurred_at, dedupe_key } = queuedBuild(id);
  const state = BUILDS.evolve(undefined, queuedBuild(id));
  const body = {
    stream: `build:${id}`,
    seq: 1,
    type,
    from_status: null,
    to_status: state.status,
    data,
    occurred_at,
    recorded_at: new Date().toISOString(),
    dedupe_key,
    previous_hash: GENESIS_HASH,
  };
  const event = { ...body, hash: eventHash(body) };
  const row = BUILDS.rowOf(state, event);
  const told = db.unsafe(Object.keys(event).join(', '));
  const known = db.unsafe(
    Object.keys(row)
      .filter((name) => columns.includes(name))
      .join(', '),
  );
  await db`
    WITH appended AS (
      INSERT INTO events (${told})
      SELECT ${told} FROM jsonb_populate_record(NULL::events, ${JSON.stringify(event)}::jsonb)
    )
    INSERT INTO builds (${known}) SELECT ${known} FROM jsonb_populate_record(NULL::builds, ${JSON.stringify(row)}::jsonb)`;
}

/** Processes that accept builds and show them, one after the other, until they are stopped. */
function serve(db: Db, columns: string[]) {
  let stopped = false;
  let written = 0;
  let longestMs = 0;
  const timed = async (work: Promise<unknown>) => {
    const startedAt = performance.now();
    await work;
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  };
  const write = async () => {
    while (!stopped) {
      const id = ++written;
      await timed(accept(db, columns, id));
    }
  };
  const read = async () => {
    while (!stopped) {
      await timed(listBuilds(db, { limit: 20 }));
      await timed(findBuild(db, 1));
    }
  };
  const running = [write(), write(), write(), read(), read()];
  let fault: Error | undefined;
  for (const one of running) {
    one.catch((error: Error) => {
      fault ??= error;
    });
  }
  return {
    /** How many were accepted. @throws what the service broke of. */
    builds() {
      if (fault) throw fault;
      return written;
    },
    async stop() {
      stopped = true;
      await Promise.all(running);
      return { written, longestMs };
    },
  };
}
