import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishLog } from '../../src/activities/publish-log.ts';
import { proveConsistency, proveInclusion } from '../../src/commands/audit/prove.ts';
import { checkpointText, isSignedByLog, readCheckpoint } from '../../src/domain/record/checkpoint.ts';
import { eventHash, GENESIS_HASH } from '../../src/domain/record/hash.ts';
import { tilePath, tilesBetween } from '../../src/domain/record/log-tile.ts';
import { GrowingTree, leafHash, rootOf } from '../../src/domain/record/merkle-tree.ts';
import { noteKeyOf, noteOf, readNoteSigner, readNoteVerifier } from '../../src/domain/record/signed-note.ts';
import { saveCheckpoint } from '../../src/store/record/checkpoint-save.ts';
import { growLogTree } from '../../src/store/record/log-tree-grow.ts';
import { findLeaf, logSubtrees } from '../../src/store/record/log-tree-read.ts';
import { eventually } from '../world/eventually.ts';
import { isConsistent, isIncluded } from '../world/merkle-proofs.ts';
import { startWitness } from '../world/witness.ts';
import { openTestDatabase, openWorld, type World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

const KEY = noteKeyOf('hapax.test/log', randomBytes(32));
const VERIFIER = readNoteSigner(KEY).verifierKey;

describe('checkpoints of the log', () => {
  let world: World;
  let directory: string;
  let witness: Awaited<ReturnType<typeof startWitness>>;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hapax-checkpoints-'));
    witness = await startWitness(() => VERIFIER);
    world = await openWorld('server', {
      CHECKPOINT_KEY: KEY,
      CHECKPOINT_DIR: join(directory, 'log'),
      CHECKPOINT_WITNESSES: `${witness.url}=${witness.verifierKey}`,
    });
  });
  afterAll(async () => {
    await world?.close();
    await witness?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const read = async (path: string) => (await fetch(world.url + path)).text();
  const published = (path: string) => readFile(join(directory, 'log', path));
  const logEnd = async () => (await world.db<[{ n: number }]>`SELECT count(*) AS n FROM events`)[0].n;

  /** A checkpoint of all that is in the log, once it is published. */
  async function checkpoint() {
    await world.client.schedule.getHandle('hapax-checkpoint').trigger();
    const size = await logEnd();
    return eventually(async () => {
      const note = (await published('checkpoint')).toString();
      const found = readCheckpoint(note)!;
      expect(found.size).toBe(size);
      return { ...found, note };
    });
  }

  /** What somebody with all rights on the database may do. */
  async function asOwner(work: (owner: postgres.TransactionSql) => Promise<unknown>) {
    const owner = postgres(world.databaseUrl, { max: 1, onnotice: () => {} });
    await owner.begin(async (tx) => {
      await tx`ALTER TABLE events DISABLE TRIGGER ALL`;
      await work(tx);
      await tx`ALTER TABLE events ENABLE TRIGGER ALL`;
    });
    await owner.end();
  }

  async function build(ref: string): Promise<number> {
    const { id } = (await world.trigger({ ref })).json;
    await world.ended(id);
    return id;
  }

  it('are signed by the log and its witness, published with tiles that lead to their root, and served', async () => {
    await build('first');
    const { note, ...found } = await checkpoint();
    const key = (await read('/audit/key')).trim();
    expect(key).toBe(VERIFIER);
    expect(isSignedByLog(found, readNoteVerifier(key))).toBe(true);
    expect(found.signatures).toHaveLength(2);
    expect(await read('/audit/checkpoint')).toBe(note);
    const bundle = await published(`tile/entries/000.p/${found.size}`);
    const tree = new GrowingTree();
    for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) {
      tree.add(leafHash(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at))));
    }
    expect(tree.size).toBe(found.size);
    expect(tree.root()).toEqual(found.root);
    expect(await published(`tile/0/000.p/${found.size}`)).toHaveLength(found.size * 32);
  });

  it('prove every event that they have, and that each goes on from the one before', async () => {
    const earlier = await checkpoint();
    await build('second');
    const later = await checkpoint();
    const { proof } = JSON.parse(await read(`/audit/consistency?from=${earlier.size}`));
    const hashes = proof.map((hash: string) => Buffer.from(hash, 'base64'));
    expect(isConsistent(earlier, later, hashes)).toBe(true);
    for (const { position, hash } of await world.db<Array<{ position: number; hash: string }>>`
      SELECT position, hash FROM events ORDER BY position`) {
      const lines = (await read(`/audit/inclusion?position=${position}`)).split('\n');
      const [first, extra = '', index = ''] = lines;
      expect(first).toBe('c2sp.org/tlog-proof@v1');
      const entry = Buffer.from(extra.slice('extra '.length), 'base64');
      expect(JSON.parse(entry.toString())).toMatchObject({ position, hash });
      const path = lines.slice(3, lines.indexOf('')).map((line) => Buffer.from(line, 'base64'));
      expect(isIncluded(leafHash(entry), Number(index.slice('index '.length)), later, path)).toBe(true);
    }
    expect(await world.call('GET', '/audit/inclusion?position=1000000')).toMatchObject({ status: 404 });
    expect(await world.call('GET', `/audit/consistency?from=${later.size + 1}`)).toMatchObject({ status: 400 });
    expect(await world.call('GET', `/audit/consistency?from=0&to=${later.size + 1}`)).toMatchObject({ status: 400 });
  });

  it('show what somebody with all rights rewrote together with every hash, to whoever kept one', async () => {
    const id = await build('rewritten');
    const kept = join(directory, 'kept.txt');
    await writeFile(kept, (await checkpoint()).note);
    const verify = (...args: string[]) =>
      hapax(['audit', 'verify', '--checkpoint', kept, ...args], { DATABASE_URL: world.databaseUrl });
    expect(await verify('--key', VERIFIER)).toMatchObject({ code: 0, stderr: '' });
    expect(await verify('--key', witness.verifierKey)).toMatchObject({ code: 1 });

    await asOwner(async (tx) => {
      const events = await tx`SELECT * FROM events WHERE stream = ${`build:${id}`} ORDER BY seq`;
      let previous_hash = GENESIS_HASH;
      for (const { position, hash: _, ...event } of events) {
        const iso = (time: Date) => time.toISOString();
        const data = event.seq === 1 ? { ...event.data, caller: 'somebody else' } : event.data;
        const told = {
          ...event,
          data,
          previous_hash,
          occurred_at: iso(event.occurred_at),
          recorded_at: iso(event.recorded_at),
        };
        previous_hash = eventHash(told as never);
        await tx`
          UPDATE events SET data = ${tx.json(data)}, previous_hash = ${told.previous_hash}, hash = ${previous_hash}
          WHERE position = ${position}`;
      }
      await tx`UPDATE builds SET caller = 'somebody else', last_hash = ${previous_hash} WHERE id = ${id}`;
      await tx`UPDATE log_tree SET size = 0, end_position = 0`;
      await tx`TRUNCATE log_tiles, checkpoints`;
    });
    // All that is in the database agrees with itself.
    expect(await hapax(['audit', 'verify'], { DATABASE_URL: world.databaseUrl })).toMatchObject({ code: 0 });
    const found = await verify();
    expect(found).toMatchObject({ code: 1 });
    expect(found.stdout).toContain('are not those of the checkpoint: events were changed, removed or added');

    // Neither the witness nor what was published takes what does not continue it.
    const before = (await published('checkpoint')).toString();
    await build('after-it');
    await world.client.schedule.getHandle('hapax-checkpoint').trigger();
    await eventually(async () => expect(await read('/audit/checkpoint')).toContain(`\n${await logEnd()}\n`));
    await eventually(() => expect(witness.statuses.at(-1)).toBe(422));
    expect((await published('checkpoint')).toString()).toBe(before);
    expect(await readdir(join(directory, 'log'))).toEqual(['checkpoint', 'tile']);
  });

  it('show that the end of the log was removed', async () => {
    const kept = join(directory, 'longer.txt');
    await build('removed');
    await world.client.schedule.getHandle('hapax-checkpoint').trigger();
    const size = await logEnd();
    const note = await eventually(async () => {
      const text = await read('/audit/checkpoint');
      expect(readCheckpoint(text)?.size).toBe(size);
      return text;
    });
    await writeFile(kept, note);
    await asOwner((tx) => tx`DELETE FROM events WHERE position = (SELECT max(position) FROM events)`);
    const { code, stdout } = await hapax(['audit', 'verify', '--checkpoint', kept], {
      DATABASE_URL: world.databaseUrl,
    });
    expect(code).toBe(1);
    expect(stdout).toContain(`1 of the ${size} events of the checkpoint are missing`);
  });

  it('need a key: one that is none stops the command that names it', async () => {
    const made = await hapax(['audit', 'key', 'example.org/log'], {});
    expect(made.stdout).toMatch(/^CHECKPOINT_KEY=PRIVATE\+KEY\+example\.org\/log\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n$/);
    expect(await hapax(['audit', 'key', 'two words'], {})).toMatchObject({ code: 1 });
  });
});

it('a log of many checkpoints is published by them, and goes on where it was cut off', async () => {
  const database = await openTestDatabase('server');
  try {
    const owner = postgres(database.url, { max: 1 });
    await owner`
      INSERT INTO events (stream, seq, type, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
      SELECT 'build:' || n, 1, 'build_queued', '{}', now(), now(), 'd', repeat('0', 64), encode(sha256(n::text::bytea), 'hex')
      FROM generate_series(1, 30000) AS n`;
    await owner.end();
    const { db } = database;
    const signer = readNoteSigner(KEY);
    let last = { size: 0, note: '' };
    for (let grown = await growLogTree(db, 30_000); grown.size > last.size; grown = await growLogTree(db, 30_000)) {
      const text = checkpointText(signer.name, {
        size: grown.size,
        root: await rootOf(logSubtrees(db), 0, grown.size),
      });
      last = { size: grown.size, note: noteOf(text, [signer.sign(text)]) };
      await saveCheckpoint(db, { ...grown, note: last.note, verifier_key: VERIFIER });
    }
    const files = new Map<string, Buffer>();
    let left = 120;
    const place = {
      get: async (key: string) => files.get(key),
      async put(key: string, body: string | Uint8Array) {
        if (left-- === 0) throw new Error('cut off');
        files.set(key, Buffer.from(body));
      },
    };
    const publish = () => publishLog(db, place, last, Number.POSITIVE_INFINITY, 12_000);
    await expect(publish()).rejects.toThrow('cut off');
    // The largest checkpoint of at most 12,000 events.
    expect(readCheckpoint(files.get('checkpoint')!.toString())!.size).toBe(10_000);
    await publish();
    const found = readCheckpoint(files.get('checkpoint')!.toString())!;
    expect(found.size).toBe(30_000);
    const tree = new GrowingTree();
    for (const tile of tilesBetween(0, found.size)) {
      if (tile.level > 0) continue;
      const bundle = files.get(tilePath({ ...tile, level: 'entries' }))!;
      for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) {
        tree.add(leafHash(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at))));
      }
    }
    expect(tree.size).toBe(found.size);
    expect(tree.root()).toEqual(found.root);
  } finally {
    await database.close();
  }
});

it('proofs are refused for a while where a restore brought checkpoints back without the tree', async () => {
  const database = await openTestDatabase('server');
  try {
    const { db } = database;
    await saveCheckpoint(db, { size: 300, end: 300, note: 'n', verifier_key: 'k' });
    const refused = { code: 'not_found', detail: expect.stringContaining('has 0 of 300 events') };
    await expect(proveConsistency(db, { from: 100 })).rejects.toMatchObject(refused);
    await expect(proveInclusion(db, 1)).rejects.toMatchObject(refused);
  } finally {
    await database.close();
  }
});

describe('the tree of a log of 70,000 events', () => {
  it('grows by batches, has the root that its leaves give, and knows each leaf', async () => {
    const database = await openTestDatabase('server');
    try {
      const owner = postgres(database.url, { max: 1 });
      await owner`
        INSERT INTO events (stream, seq, type, data, occurred_at, recorded_at, dedupe_key, previous_hash, hash)
        SELECT 'build:' || n, 1, 'build_queued', '{}', now(), now(), 'd', repeat('0', 64), encode(sha256(n::text::bytea), 'hex')
        FROM generate_series(1, 70000) AS n`;
      await owner.end();
      const { db } = database;
      const tree = new GrowingTree();
      const events = await db<Array<{ position: number; stream: string; hash: string }>>`
        SELECT position, stream, hash FROM events ORDER BY position`;
      for (let size = 0; size < 70_000; ) {
        const grown = await growLogTree(db, 1_000_000);
        for (const { position, stream, hash } of events.slice(size, grown.size)) {
          tree.add(leafHash(Buffer.from(`{"hash":"${hash}","position":${position},"seq":1,"stream":"${stream}"}`)));
        }
        expect(grown.end).toBe(events[grown.size - 1]!.position);
        expect(await rootOf(logSubtrees(db), 0, grown.size)).toEqual(tree.root());
        size = grown.size;
      }
      expect(await growLogTree(db, 1_000_000)).toMatchObject({ size: 70_000 });
      for (const index of [0, 255, 256, 65_535, 65_536, 69_999]) {
        expect(await findLeaf(db, events[index]!.position)).toMatchObject({ index });
      }
    } finally {
      await database.close();
    }
  });
});
