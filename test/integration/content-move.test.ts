import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/record/hash.ts';
import { directoryBlobs } from '../../src/integrations/blobs.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { surrealContent } from '../../src/store/surrealdb/surreal-content.ts';
import { SurrealDatabase } from '../../src/store/surrealdb/surrealdb.ts';
import { saveText } from '../world/content-world.ts';
import { openTestDatabase } from '../world/database.ts';
import { BUILD_TIMEOUT_MS, HAS_GO } from '../world/go-tools.ts';
import { describeWith } from '../world/required-programs.ts';
import { startS3Server } from '../world/s3-server.ts';
import { startSurrealServer } from '../world/surrealdb-server.ts';
import { hapax } from './told-builds.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/hapax.js', import.meta.url));
const CONTENTS = 60;
const maker = { model: 'm', revision: 'sha256:one' };

/** Everything that a store has. */
async function allOf(store: ContentStore) {
  const ids = await store.listIds('', 1_000);
  return Promise.all(ids.map((id) => store.read(id)));
}

/** A copy that takes longer than some seconds says how far it is. */
const ONLY_PROGRESS = expect.stringMatching(/^(?:hapax: \d+ contents, \d+ of them copied \.\.\.\n)*$/);

describe('hapax content move', () => {
  let source: Awaited<ReturnType<typeof openTestDatabase>>;
  let target: Awaited<ReturnType<typeof openTestDatabase>>;
  let server: Awaited<ReturnType<typeof startSurrealServer>>;
  let surreal: SurrealDatabase;
  let home: string;
  let settings: Record<string, string>;
  beforeAll(async () => {
    [source, target, server, home] = await Promise.all([
      openTestDatabase('embedded'),
      openTestDatabase('embedded'),
      startSurrealServer(),
      mkdtemp(join(tmpdir(), 'hapax-move-')),
    ]);
    const at = { url: server.url, user: 'hapax', password: server.password, level: 'database' } as const;
    surreal = await SurrealDatabase.load({ at, namespace: 'hapax', database: 'hapax' });
    settings = {
      HAPAX_HOME: home,
      DATABASE_URL: source.url,
      DATABASE_ROLE: '',
      SURREALDB_URL: server.url,
      SURREALDB_USER: 'hapax',
      SURREALDB_PASSWORD: server.password,
    };
    const content = postgresContent(source.db);
    for (let index = 0; index < CONTENTS; index++) {
      const id = `web:${index}`;
      await saveText(content, id, `Number ${index}: naïve 面包 🍕. `.repeat(60), `Title ${index}`, [
        'moved',
        `${index % 7}`,
      ]);
      const chunks = await content.listUnembeddedChunks(id, { ...maker, dimensions: 3 }, { after: 0, limit: 100 });
      const embeddings = chunks.map(({ id: chunk_id, seq }) => ({ chunk_id, embedding: [0.1 + index, 1 / 3, seq] }));
      await content.saveEmbeddings(maker, embeddings);
      if (index % 5 > 0) continue;
      const key = { content_id: id, version: 1, model: 'llama', part: 0 };
      await content.saveSummary(key, { text: `About ${index}.`, revision: index % 2 ? 'sha256:two' : undefined });
    }
    // The next version of one.
    await saveText(content, 'web:7', 'Another text.', 'Anew');
  });
  afterAll(async () => {
    await surreal.close();
    await Promise.all([source.close(), target.close(), server.close(), rm(home, { recursive: true, force: true })]);
  });
  const moved = () => surrealContent({ surreal, stem: async () => new Map() });
  const move = (to: string, given: Record<string, string> = {}) =>
    hapax(['content', 'move', '--to', to], { ...settings, ...given });

  it('copies everything, also where it was killed in between, and verifies it', async () => {
    const child = spawn(process.execPath, [PROGRAM, 'content', 'move', '--to', 'surrealdb'], {
      env: { PATH: process.env.PATH, HAPAX_ENV_FILE: '', ...settings },
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    await expect.poll(() => moved().listIds('', 1_000), { timeout: 120_000, interval: 5 }).not.toEqual([]);
    child.kill('SIGKILL');
    await exited;
    const before = await allOf(postgresContent(source.db));
    const again = await move('surrealdb');
    expect(again).toMatchObject({ code: 0, stderr: ONLY_PROGRESS });
    expect(again.stdout).toMatch(
      /^60 contents, \d+ chunks, \d+ embeddings, 12 summaries\n(\d+) contents copied, \d+ were/,
    );
    expect(again.stdout).toContain('now set CONTENT_STORE=surrealdb');
    expect(await allOf(moved())).toEqual(before);
    expect((await move('surrealdb')).stdout).toContain('0 contents copied, 60 were there already');
  });

  it('copies back, and both stores find the same', async () => {
    const back = await move('postgres', { CONTENT_STORE: 'surrealdb', DATABASE_URL: target.url });
    expect(back).toMatchObject({ code: 0, stderr: ONLY_PROGRESS });
    const [first, last] = [postgresContent(source.db), postgresContent(target.db)];
    expect(await allOf(last)).toEqual(await allOf(first));
    const query = { text: 'Number 面包', vector: undefined, filter: { tags: ['3'] }, limit: 100 };
    const found = (await last.search(query)).map(({ content }) => content.content_id).toSorted();
    expect(found).toEqual((await first.search(query)).map(({ content }) => content.content_id).toSorted());
    expect(found.length).toBeGreaterThan(5);
  });

  it('copies what has changed since, and refuses to copy onto itself', async () => {
    await saveText(postgresContent(source.db), 'web:3', 'A later text.', 'Later');
    expect((await move('surrealdb')).stdout).toContain('1 contents copied, 59 were there already');
    expect((await moved().find('web:3'))?.version).toBe(2);
    const onto = await move('postgres');
    expect([onto.code, onto.stderr]).toEqual([
      1,
      'hapax: content is in postgres now, as CONTENT_STORE says; nothing was moved\n',
    ]);
  });

  it('names what only the target has, which may have been erased since the last copy, and keeps it', async () => {
    await postgresContent(source.db).erase('web:9');
    await saveText(moved(), 'web:own', 'It was here before.');
    const again = await move('surrealdb');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('2 could not be verified') });
    for (const id of ['web:9', 'web:own'])
      expect(again.stdout).toContain(`${id}: is in SurrealDB but not in Postgres, which may have erased it; to erase`);
    expect(await moved().find('web:own')).toBeDefined();
    for (const id of ['web:9', 'web:own']) await moved().erase(id);
    expect(await move('surrealdb')).toMatchObject({ code: 0 });
  });

  it('names what the target refuses, and copies the rest', async () => {
    const content = postgresContent(source.db);
    await saveText(content, 'web:0-long', 'long '.repeat(900_000));
    await saveText(content, 'web:99', 'after it');
    const again = await move('surrealdb');
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/^web:0-long: the content is larger than the server takes/m);
    expect(await moved().find('web:99')).toBeDefined();
    await content.erase('web:0-long');
  });

  it('says what is wrong', async () => {
    expect((await hapax(['content', 'move', '--to', 'tape'], settings)).stderr).toContain('--to needs one of postgres');
    expect((await move('surrealdb', { SURREALDB_PASSWORD: 'wrong' })).stderr).toMatch(
      /^hapax: SurrealDB cannot be used: /,
    );
    expect((await move('s3')).stderr).toContain('--to s3: set S3_BUCKET');
    expect((await move('surrealdb', { SURREALDB_USER: '' })).stderr).toContain(
      'SURREALDB_URL: a server needs SURREALDB_USER',
    );
  });
});

describeWith({ Go: HAS_GO }, 'hapax content move of documents', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let servers: Array<Awaited<ReturnType<typeof startS3Server>>>;
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'hapax-move-'));
    database = await openTestDatabase('server');
    servers = [await startS3Server(), await startS3Server()];
  }, BUILD_TIMEOUT_MS);
  afterAll(() =>
    Promise.all([database.close(), ...servers.map((one) => one.close()), rm(home, { recursive: true, force: true })]),
  );

  it('copies them to a bucket and back, and says what is missing or changed', async () => {
    const [s3, other] = servers as [(typeof servers)[0], (typeof servers)[0]];
    const blobs = directoryBlobs(join(home, 'blobs'));
    const keyOf = (body: string) => `sources/${sha256(body)}.txt`;
    for (const body of ['one', 'two', 'three']) {
      await blobs.put(keyOf(body), body);
      await saveText(postgresContent(database.db), `web:${body}`, body);
      await database.db`UPDATE contents SET blob_key = ${keyOf(body)} WHERE id = ${`web:${body}`}`;
    }
    const move = (to: string, { url, keys } = s3) =>
      hapax(['content', 'move', '--to', to], {
        HAPAX_HOME: home,
        DATABASE_URL: database.url,
        S3_BUCKET: 'content',
        S3_ENDPOINT: url,
        S3_ACCESS_KEY_ID: keys.accessKeyId,
        S3_SECRET_ACCESS_KEY: keys.secretAccessKey,
      });
    expect((await move('s3')).stdout).toContain('3 documents: 3 copied, 0 were there already');
    expect((await s3.blobs().get(keyOf('two')))?.toString()).toBe('two');
    expect((await move('s3')).stdout).toContain('3 documents: 0 copied, 3 were there already');
    await rm(join(home, 'blobs'), { recursive: true });
    expect((await move('directory')).stdout).toContain('3 documents: 3 copied, 0 were there already');
    await writeFile(join(home, 'blobs', keyOf('one')), 'changed');
    await rm(join(home, 'blobs', keyOf('two')));
    const faulty = await move('s3', other);
    expect(faulty.code).toBe(1);
    expect(faulty.stdout).toContain('3 documents: 1 copied, 0 were there already');
    expect(faulty.stdout).toContain(`${keyOf('one')}: was changed, and is not copied`);
    expect(faulty.stdout).toContain(`${keyOf('two')}: is missing`);
    expect(faulty.stderr).toContain('2 could not be verified');
  });
});
