import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventHash, GENESIS_HASH } from '../../src/domain/record/hash.ts';
import { startEmbeddedPostgres } from '../../src/laptop/embedded-postgres.ts';
import { openHome } from '../../src/laptop/home.ts';
import { UserError } from '../../src/laptop/user-error.ts';
import { type Expected, verifyAudit } from '../../src/processes/audit.ts';
import { openDatabase } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { listEvents } from '../../src/store/record/event-list-by-stream.ts';
import { openTestDatabase } from '../world/world.ts';
import { canonical, hapax, sha256, tell } from './told-builds.ts';

describe('hapax audit and rebuild on a server that is in use', () => {
  let world: Awaited<ReturnType<typeof openTestDatabase>>;
  let directory: string;
  let whole: string[];
  let digest: string;
  beforeAll(async () => {
    world = await openTestDatabase('server');
    directory = await mkdtemp(join(tmpdir(), 'hapax-proof-'));
    await Promise.all([1, 2, 3].map((id) => tell(world.db, id)));
    const file = join(directory, 'log.ndjson');
    const { code, stderr } = await hapax(['audit', 'export', '--out', file], { DATABASE_URL: world.url });
    expect(code).toBe(0);
    whole = (await readFile(file, 'utf8')).trimEnd().split('\n');
    digest = /head ([0-9a-f]{64})/.exec(stderr)?.[1] ?? '';
  });
  afterAll(async () => {
    await world.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function fileOf(lines: string[]): Promise<string> {
    const file = join(directory, 'changed.ndjson');
    await writeFile(file, lines.map((line) => `${line}\n`).join(''));
    return file;
  }
  /** Verifies a file in this process, which starting the program for each would take most of the time of. */
  async function verify(lines: string[], expected: Expected = {}) {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
    try {
      const failure = await verifyAudit(await fileOf(lines), expected, {}).then(
        () => undefined,
        (error: Error) => error,
      );
      if (failure && !(failure instanceof UserError)) throw failure;
      return { failure: failure?.message, stdout: printed.mock.calls.join('\n') };
    } finally {
      printed.mockRestore();
    }
  }
  /** An event that was never recorded, with a hash that fits. */
  const added = (stream: string, seq: number, type: string, previous_hash: string) => {
    const base = JSON.parse(whole[0]!);
    const event = { ...base, position: 1_000, stream, seq, type, previous_hash, dedupe_key: `added-${seq}` };
    return { ...event, hash: eventHash(event) };
  };
  /** Index of an event in the file. */
  const where = (stream: string, seq: number) =>
    whole.map((line) => JSON.parse(line)).findIndex((event) => event.stream === stream && event.seq === seq);

  it('writes the same log to a file and to the standard output, in order, and verifies both ways', async () => {
    const { stdout, stderr } = await hapax(['audit', 'export'], { DATABASE_URL: world.url });
    expect(stdout.trimEnd().split('\n')).toEqual(whole);
    const positions = whole.map((line) => JSON.parse(line).position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    const heads = new Map(whole.map((line) => [JSON.parse(line).stream, JSON.parse(line)]));
    const sorted = [...heads.keys()].sort().map((stream) => [stream, heads.get(stream).seq, heads.get(stream).hash]);
    expect(stderr).toBe(`18 events, 3 streams, head ${sha256(canonical(sorted))}\n`);
    for (const outcome of [
      await hapax(['audit', 'verify', await fileOf(whole), '--head', digest], {}),
      await hapax(['audit', 'verify', '--head', digest], { DATABASE_URL: world.url }),
    ]) {
      expect(outcome).toMatchObject({ code: 0, lines: [`head ${digest}`, '18 events, 3 streams, sound'], stderr: '' });
    }
  });

  it('names what was done to a file', async () => {
    const i = where('build:2', 3);
    const edit = (seq: number, change: object) =>
      whole.with(where('build:2', seq), JSON.stringify({ ...JSON.parse(whole[where('build:2', seq)]!), ...change }));
    const rehashed = (seq: number, change: object) => {
      const { position, hash: _hash, ...event } = { ...JSON.parse(whole[where('build:2', seq)]!), ...change };
      return whole.with(where('build:2', seq), JSON.stringify({ position, ...event, hash: eventHash(event) }));
    };
    const cases: Array<[lines: string[], ...named: RegExp[]]> = [
      [edit(3, { data: {} }), /^build:2 event 3: was changed/m],
      [edit(6, { to_status: 'failure' }), /^build:2 event 6: was changed/m],
      [whole.toSpliced(i, 1), /^build:2 event 3: event 3 is missing/m],
      [
        whole.with(i, whole[where('build:2', 4)]!).with(where('build:2', 4), whole[i]!),
        /^build:2 event 3: event 3 is missing/m,
        /^build:2 event 3: .*moved/m,
      ],
      [
        whole.toSpliced(i, 0, whole[i]!),
        /^build:2 event 3: line \d+ was moved/m,
        /^build:2 event 3: .*recorded twice/m,
      ],
      [edit(3, { stream: 'build:1' }), /^build:2 event 3: event 3 is missing/m],
      [rehashed(3, { data: {} }), /^build:2 event 4: does not continue event 3/m],
      [
        // By their hashes both are sound: somebody who can write to the log added them.
        [...whole, JSON.stringify(added('payroll:1', 1, 'build_queued', GENESIS_HASH))],
        /^payroll:1 event 1: cannot stand here: no kind of stream is named "payroll"/m,
      ],
      [
        [...whole, JSON.stringify(added('build:2', 7, 'build_blessed', JSON.parse(whole[where('build:2', 6)]!).hash))],
        /^build:2 event 7: cannot stand here: there is no event type build_blessed/m,
      ],
      [edit(3, { note: 'covered by no hash' }), /^line \d+: is not an event/m],
      [whole.with(-1, whole.at(-1)!.slice(0, 50)), /^line 18: is not an event/m],
    ];
    for (const [lines, ...named] of cases) {
      const outcome = await verify(lines);
      expect(outcome.failure, String(named)).toMatch(/^\d+ events, \d streams, \d faults/);
      for (const name of named) expect(outcome.stdout).toMatch(name);
    }
  });

  it('names streams and events in the record that Hapax knows nothing of, though their hashes are sound', async () => {
    const other = await openTestDatabase('server');
    await tell(other.db, 2);
    const [last] = await other.db<
      Array<{ hash: string }>
    >`SELECT hash FROM events WHERE stream = 'build:2' AND seq = 6`;
    const strange = [
      added('payroll:1', 1, 'build_queued', GENESIS_HASH),
      added('payroll:1', 2, 'paid', added('payroll:1', 1, 'build_queued', GENESIS_HASH).hash),
      added('build:2', 7, 'build_blessed', String(last?.hash)),
    ];
    for (const { position: _, ...event } of strange) {
      await other.db`INSERT INTO events ${other.db({ ...event, data: JSON.stringify(event.data) })}`;
    }
    const { code, lines } = await hapax(['audit', 'verify'], { DATABASE_URL: other.url });
    expect([code, lines]).toEqual([
      1,
      [
        'build:2 event 7: cannot stand here: there is no event type build_blessed',
        'payroll:1 event 1: cannot stand here: no kind of stream is named "payroll"',
      ],
    ]);
    await other.close();
  });

  it('tells a removed end or stream of a file by the digest that was kept', async () => {
    const end = whole.filter((_, index) => index !== where('build:2', 6));
    const stream = whole.filter((line) => JSON.parse(line).stream !== 'build:2');
    const replaced = { ...JSON.parse(whole[where('build:2', 6)]!), data: { conclusion: 'x' } };
    replaced.hash = eventHash(replaced);
    for (const lines of [end, stream, whole.with(where('build:2', 6), JSON.stringify(replaced))]) {
      expect((await verify(lines)).failure).toBeUndefined();
      const outcome = await verify(lines, { head: digest });
      expect(outcome.failure).toBeDefined();
      expect(outcome.stdout).toContain(`the head is not ${digest}`);
    }
  });

  it('reads as a login that may only read, which cannot act as another role', async () => {
    const login = `reader_${randomUUID().replaceAll('-', '')}`;
    const owner = postgres(world.url, { max: 1, onnotice: () => {} });
    onTestFinished(async () => {
      await owner.unsafe(`DROP OWNED BY ${login}; DROP ROLE ${login}`);
      await owner.end();
    });
    await owner.unsafe(`CREATE ROLE ${login} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${login}`);
    const url = new URL(world.url);
    url.username = login;
    const asReader = { DATABASE_URL: url.href };
    expect(await hapax(['audit', 'verify'], asReader)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^hapax: .*permission denied to set role "hapax_runtime"; set DATABASE_ROLE= .*\n$/,
      ),
    });
    const verified = await hapax(['audit', 'verify', '--head', digest], { ...asReader, DATABASE_ROLE: '' });
    expect(verified).toMatchObject({ code: 0, stderr: '' });
  });

  it('rebuilds while events are appended: they wait, none is lost, and the outcome is the fold', async () => {
    const corrupt = postgres(world.url, { max: 1, onnotice: () => {} });
    await corrupt`UPDATE builds SET status = 'queued', attempts = 7`;
    await corrupt.end();
    let going = true;
    let told = 100;
    const telling = (async () => {
      while (going) await tell(world.db, told++);
    })();
    const outcomes = [];
    for (let round = 0; round < 2; round++) outcomes.push(await hapax(['rebuild'], { DATABASE_URL: world.url }));
    going = false;
    await telling;
    for (const { code, stdout, stderr } of outcomes) {
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^\d+ builds from \d+ events in \S+ s \(\d+ events\/s\)\n/);
    }
    expect(outcomes[0]?.stdout).toContain('3 rows were missing or wrong, 0 had no events');
    const audit = await hapax(['audit', 'verify'], { DATABASE_URL: world.url });
    expect(audit).toMatchObject({ code: 0, stderr: '' });
    expect(audit.lines.at(-1)).toBe(`${18 + (told - 100) * 6} events, ${3 + told - 100} streams, sound`);
  });

  it('does not rebuild from a changed log, and leaves what shows the change; a log without its end is rebuilt from', async () => {
    const other = await openTestDatabase('server');
    const owner = postgres(other.url, { max: 1, onnotice: () => {} });
    onTestFinished(async () => {
      await owner.end();
      await other.close();
    });
    for (const id of [1, 2]) await tell(other.db, id);
    await owner`ALTER TABLE events DISABLE TRIGGER ALL`;
    await owner`UPDATE builds SET attempts = 7 WHERE id = 1`;
    await owner`CREATE TABLE kept AS SELECT * FROM events WHERE stream = 'build:2'`;
    const rows = () => owner`SELECT builds::text FROM builds ORDER BY id`;
    const before = await rows();
    const rebuild = () => hapax(['rebuild'], { DATABASE_URL: other.url });
    const refused = async (fault: string) => {
      const { code, stdout, stderr } = await rebuild();
      expect([code, stdout, stderr.trimEnd().split('\n')]).toEqual([1, '', [expect.stringContaining(fault)]]);
      expect(stderr).toMatch(/run `hapax audit verify`.* restore a backup/);
      expect(await rows()).toEqual(before);
    };
    await owner`UPDATE events SET data = '{"n": 1}' WHERE stream = 'build:2' AND seq = 4`;
    await refused('build:2 event 4: was changed after it was recorded');
    // The end of the stream with a hash that fits: only the stored head shows it.
    await owner`DELETE FROM events WHERE stream = 'build:2'`;
    await owner`INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM kept`;
    const last = (await listEvents(other.db, 'build:2')).at(-1)!;
    const forged = { ...last, data: { ...last.data, conclusion: 'failure' } };
    await owner`
      UPDATE events SET data = ${JSON.stringify(forged.data)}::text::jsonb, hash = ${eventHash(forged)} WHERE position = ${last.position}`;
    await refused('build:2 event 6: was replaced: the stored state holds another hash of it');
    await owner`DELETE FROM events WHERE position = ${last.position}`;
    expect(await rebuild()).toMatchObject({
      ...{ code: 0, stderr: '', stdout: expect.stringContaining('2 rows were missing or wrong, 0 had no events') },
    });
  });

  it('says what it needs', async () => {
    const url = new URL(world.url);
    const owner = postgres(world.url, { max: 1, onnotice: () => {} });
    const login = `login_${Date.now()}`;
    await owner.unsafe(`CREATE ROLE ${login} LOGIN; GRANT hapax_runtime TO ${login}`);
    url.username = login;
    const refused = await hapax(['rebuild'], { DATABASE_URL: url.href });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('this database login may not rebuild') });
    expect(await hapax(['audit', 'verify'], { DATABASE_URL: url.href })).toMatchObject({ code: 0 });
    await owner.unsafe(`DROP ROLE ${login}`);
    await owner.end();
    const file = join(directory, 'log.ndjson');
    expect((await hapax(['audit', 'export', '--out', file], { DATABASE_URL: world.url })).stderr).toContain(
      'does not overwrite a file',
    );
    expect((await hapax(['audit'], {})).stderr).toMatch(/^ +export .*hapax: Say what to do/ms);
    expect((await hapax(['audit', 'verify', join(directory, 'none')], {})).stderr).toContain('cannot read');
    expect((await hapax(['audit', 'verify'], { HAPAX_HOME: join(directory, 'nothing') })).stderr).toContain(
      'there is no database in',
    );
  });
});

describe('hapax audit and rebuild on a stopped HAPAX_HOME', () => {
  it('work with the embedded database; while it is in use, only what reads does', async () => {
    const home = await mkdtemp(join(tmpdir(), 'hapax-proof-'));
    try {
      const embedded = await startEmbeddedPostgres({ directory: join(home, 'postgres') });
      await migrateDatabase(embedded.url);
      const database = openDatabase({ url: embedded.url });
      await tell(database.db, 1);
      await database.db`UPDATE builds SET attempts = 9`;
      await database.close();
      const environment = { HAPAX_HOME: home };
      const lock = openHome(home);
      lock.announce({ databaseUrl: embedded.url });
      const beside = await hapax(['audit', 'export'], environment);
      expect([beside.code, beside.lines.length]).toEqual([0, 6]);
      expect((await hapax(['rebuild'], environment)).stderr).toContain(`another hapax (pid ${process.pid}) is using`);
      await embedded.close();
      lock.announce({});
      for (const args of [['audit', 'verify'], ['audit', 'export'], ['rebuild']]) {
        const { code, stderr } = await hapax(args, environment);
        expect([code, stderr]).toEqual([1, expect.stringContaining(`another hapax (pid ${process.pid}) is using`)]);
      }
      lock.close();
      const found = await hapax(['audit', 'verify'], environment);
      expect([found.code, found.lines.at(-1)]).toEqual([
        1,
        'build:1 event 6: the stored state differs from what the events give: attempts',
      ]);
      expect((await hapax(['rebuild'], environment)).stdout).toContain('1 rows were missing or wrong');
      expect((await hapax(['audit', 'verify'], environment)).lines.at(-1)).toBe('6 events, 1 streams, sound');
      expect((await hapax(['audit', 'export'], environment)).lines).toHaveLength(6);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
