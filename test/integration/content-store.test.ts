import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { erase } from '../../src/commands/erasures/erase.ts';
import { eachChunk } from '../../src/domain/content/chunk.ts';
import { sha256 } from '../../src/domain/record/hash.ts';
import type { QueryVector } from '../../src/store/content/chunk-rank-by-meaning.ts';
import type { SearchQuery } from '../../src/store/content/content-search.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { inTransaction, RUNTIME_ROLE } from '../../src/store/database.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import type { Cursor } from '../../src/store/page.ts';
import { CONTENT_STORES, type OpenStore } from '../world/content-stores.ts';
import { eventually } from '../world/eventually.ts';
import { findPgvectorServer } from '../world/pgvector-server.ts';
import { startPostgresServer } from '../world/postgres-server.ts';

const pgvector = await findPgvectorServer();

const MODEL = 'test/three';
const maker = { model: MODEL, revision: undefined, dimensions: undefined };
/** A vector of three numbers, in a direction. */
const towards = (x: number, y: number, z: number): number[] => [x, y, z];
const asked = (values: number[]): QueryVector => ({ model: MODEL, values });

describe.each(Object.entries(CONTENT_STORES))('content in %s', (name, { open, vectors }) => {
  let store: OpenStore;
  let content: ContentStore;
  beforeAll(async () => {
    store = await open();
    content = store.content;
  });
  afterAll(() => store.close());

  const save = (given: { id?: string; title?: string; text: string; tags?: string[]; type?: 'youtube' | 'web' }) =>
    content.save({
      id: given.id ?? `web:${randomUUID()}`,
      type: given.type ?? 'web',
      url: 'https://example.test/',
      title: given.title ?? 'Untitled',
      author: null,
      language: 'en',
      published_at: null,
      tags: given.tags ?? [],
      text_sha256: sha256(given.text),
      blob_key: 'text/x',
      characters: given.text.length,
      chunks: [...eachChunk(given.text)],
    });
  const search = async (text: string, given: Partial<SearchQuery> = {}) => {
    const found = await content.search({ text, vector: undefined, filter: {}, limit: 10, ...given });
    return found.map((one) => one.content.content_id);
  };
  const embed = async (id: string, embedding: number[]) => {
    const chunks = await content.listUnembeddedChunks(id, maker, { after: 0, limit: 100 });
    await content.saveEmbeddings(
      maker,
      chunks.map((chunk) => ({ chunk_id: chunk.id, embedding })),
    );
  };

  /** So many contents with a tag and a text. */
  const fill = async (tag: string, count: number, text: string) => {
    const left = Array.from({ length: count }, (_, index) => index + 1).values();
    const filling = Array.from({ length: 8 }, async () => {
      for (const index of left) await save({ id: `${tag}:${index}`, text, tags: [tag] });
    });
    await Promise.all(filling);
  };

  it('knows whether it keeps vectors', async () => {
    expect((await content.whyNoVectors()) === undefined).toBe(vectors);
    await content.check();
  });

  it('is one content however often and by how many at once it is brought in', async () => {
    const id = 'yt:once';
    const saved = await Promise.all(Array.from({ length: 10 }, () => save({ id, text: 'Words. '.repeat(300) })));
    expect(new Set(saved.map(({ version, created_at }) => `${version} ${created_at}`)).size).toBe(1);
    const detail = await content.findDetail(id, true);
    expect(detail).toMatchObject({ content_id: id, version: 1, embedded: [], summaries: [] });
    expect(detail?.chunk_texts?.join('')).toBe('Words. '.repeat(300));
  });

  it('is another version with another text, and nothing of the one before is left', async () => {
    const id = 'web:versions';
    await save({ id, text: 'The armadillo digs at night.' });
    expect(await search('armadillo')).toEqual([id]);
    expect(await save({ id, text: 'The pangolin climbs trees.', title: 'New' })).toMatchObject({
      version: 2,
      title: 'New',
    });
    expect([await search('armadillo'), await search('pangolin')]).toEqual([[], [id]]);
    expect((await content.findDetail(id, false))?.chunks).toBe(1);
  });

  it('is found by words in any form, those of the title first, with the piece that fits', async () => {
    const body = await save({ text: `${'Nothing of the kind. '.repeat(60)} The ships were sailing to Lisbon.` });
    const title = await save({ title: 'A ship for Lisbon', text: 'About something else entirely.' });
    expect(await search('ship sails Lisbon')).toEqual(expect.arrayContaining([body.id, title.id]));
    expect((await search('Lisbon ship'))[0]).toBe(title.id);
    const [found] = await content.search({
      text: 'sailing',
      vector: undefined,
      filter: {},
      limit: 1,
    });
    expect(found?.snippet).toContain('sailing to Lisbon');
    expect(await search(`'!&|()<->:* "unclosed -not`)).toEqual([]);
  });

  it('is found by most of the words, behind many that have one of them', async () => {
    const owner = store.surreal ? undefined : postgres(store.databaseUrl, { max: 1, fetch_types: false });
    // It would make statistics of half of them, in which the last metal is rare.
    await owner?.unsafe('RESET ROLE; ALTER TABLE chunks SET (autovacuum_enabled = false)');
    for (const metal of ['zinc', 'cobalt', 'nickel']) await fill(metal, 600, `All about ${metal}.`);
    const { id } = await save({ text: 'Cobalt beside zinc.' });
    expect((await search('zinc, nickel and cobalt'))[0]).toBe(id);
    if (!owner) return;
    // Also once Postgres has statistics of its own, which say how common a word is.
    await owner.unsafe(`RESET ROLE; ANALYZE; SET ROLE ${RUNTIME_ROLE}`);
    await owner.end();
    expect((await search('zinc, nickel and cobalt'))[0]).toBe(id);
  });

  it('is found beside a long one that has the words again and again', async () => {
    const long = await save({ text: 'osmium osmium osmium. '.repeat(10_000) });
    const others = [];
    for (let index = 0; index < 3; index++) others.push(await save({ text: `Number ${index} speaks of osmium once.` }));
    expect((await search('osmium')).toSorted()).toEqual([long, ...others].map(({ id }) => id).toSorted());
  });

  it('is found by a page of text', async () => {
    const { id } = await save({ text: 'Ytterbium is soft.' });
    const page = Array.from({ length: 1_000 }, (_, index) => `word${index}`).join(' ');
    expect(await search(`${page} ytterbium`)).toEqual([id]);
  });

  it('is filtered where many pass, too', async () => {
    // In Postgres, so many that it does not compare all.
    await fill('crowded', store.surreal ? 1_000 : 5_000, 'iridium');
    await save({ text: 'iridium' });
    const filter = { tags: ['crowded'] };
    const found = await search('iridium', { filter });
    expect(found).toHaveLength(10);
    expect(found.filter((id) => !id.startsWith('crowded:'))).toEqual([]);
    if (!vectors) return;
    const direction = (angle: number) => [Math.cos(angle), Math.sin(angle), ...new Array(510).fill(0)];
    await embed('crowded:7', direction(1));
    await embed('crowded:8', direction(0.5));
    const outside = await save({ text: 'osmium' });
    await embed(outside.id, direction(0));
    const vector = asked(direction(0));
    expect(await search('unsaid', { filter, vector })).toEqual(['crowded:8', 'crowded:7']);
    expect(await search('unsaid', { vector })).toEqual([outside.id, 'crowded:8', 'crowded:7']);
  });

  it('is filtered by type and by all of the tags', async () => {
    const one = await save({ text: 'zeppelin', tags: ['air', 'old'], type: 'youtube' });
    const other = await save({ text: 'zeppelin', tags: ['air'] });
    const filtered = (filter: SearchQuery['filter']) => search('zeppelin', { filter });
    expect(new Set(await filtered({}))).toEqual(new Set([one.id, other.id]));
    expect(await filtered({ type: 'web' })).toEqual([other.id]);
    expect(await filtered({ tags: ['air', 'old'] })).toEqual([one.id]);
    expect(await filtered({ tags: ['water'] })).toEqual([]);
    const page = await content.list({ tags: ['old'] }, { after: undefined, limit: 10 });
    expect(page.items.map(({ content_id }) => content_id)).toEqual([one.id]);
  });

  it('is listed newest first, page by page, each once', async () => {
    for (let index = 0; index < 7; index++) await save({ text: `number ${index}`, tags: ['paged'] });
    const seen: string[] = [];
    for (let after: Cursor | undefined; ; ) {
      const page = await content.list({ tags: ['paged'] }, { after, limit: 3 });
      seen.push(...page.items.map(({ content_id }) => content_id));
      after = page.end;
      if (!after) break;
    }
    expect(new Set(seen).size).toBe(7);
    expect(seen.length).toBe(7);
  });

  it('is found by any text of it, to be erased: in any case, and where a chunk ends', async () => {
    const named = await save({ title: 'By Åse Ødegård', text: 'a', tags: ['tag-of-a-person'] });
    // As in speech, without a full stop.
    const text = `${'So many words. '.repeat(600)}Word ${'word '.repeat(157)}Erika Mustermann and so on`;
    const split = await save({ text });
    const chunks = (await content.findDetail(split.id, true))!.chunk_texts!;
    expect(chunks.findIndex((chunk) => chunk.includes('Erika Mustermann'))).toBe(-1);
    const [greek, german] = [await save({ title: 'Γιώργος', text: 'b' }), await save({ title: 'GROẞMANN', text: 'b' })];
    const summarized = await save({ text: 'b' });
    const key = { content_id: summarized.id, version: 1, model: 'm', part: 0 };
    await content.saveSummary(key, { text: 'About Grete.', revision: undefined });
    for (const [asked, found] of [
      ['åse ØDEGÅRD', named.id],
      ['tag-of-a-PERSON', named.id],
      [named.id, named.id],
      ['erika mustermann', split.id],
      ['GRETE', summarized.id],
      ['ΓΙΏΡΓΟΣ', greek.id],
      ['Großmann', german.id],
    ] as const) {
      expect([asked, await content.findWithText(asked, 5)]).toEqual([asked, [found]]);
    }
    for (const pattern of ['Eri_a', 'Erika%', 'Erika.Mustermann'])
      expect(await content.findWithText(pattern, 5)).toEqual([]);
    expect(await content.findWithText('a', 2)).toHaveLength(2);
  });

  it('is gone with all that was made from it once it is erased, and only it', async () => {
    const [erased, kept] = [await save({ text: 'erasable text' }), await save({ text: 'erasable text, kept' })];
    for (const { id } of [erased, kept]) {
      if (vectors) await embed(id, towards(1, 0, 0));
      const key = { content_id: id, version: 1, model: 'm', part: 0 };
      await content.saveSummary(key, { text: 'erasable summary', revision: undefined });
    }
    await content.erase(erased.id);
    await content.erase(erased.id);
    expect([await content.find(erased.id), await content.read(erased.id)]).toEqual([undefined, undefined]);
    expect(await content.listChunkTexts(erased.id, 1)).toEqual([]);
    expect(await search('erasable')).toEqual([kept.id]);
    expect(await content.findWithText('erasable', 5)).toEqual([kept.id]);
    expect(await content.findDetail(kept.id, false)).toMatchObject({ chunks: 1, summaries: [{}] });
    // Brought in again, it has nothing of before.
    await save({ id: erased.id, text: 'erasable text' });
    expect(await content.findDetail(erased.id, false)).toMatchObject({ version: 1, summaries: [], embedded: [] });
  });

  it('gets no summary any more of a text that was erased or replaced while a model read it', async () => {
    const [erased, replaced] = [await save({ text: 'unheard' }), await save({ text: 'unheard' })];
    await content.erase(erased.id);
    await save({ id: replaced.id, text: 'another' });
    for (const { id } of [erased, replaced]) {
      const key = { content_id: id, version: 1, model: 'm', part: 0 };
      await content.saveSummary(key, { text: 'late summary', revision: undefined });
    }
    expect(await content.findWithText('late summary', 5)).toEqual([]);
  });

  it('keeps no summary or vector that is saved in the moment of its erasure', async () => {
    for (let round = 0; round < 30; round++) {
      const { id } = await save({ text: 'unheard' });
      const chunks = vectors ? await content.listUnembeddedChunks(id, maker, { after: 0, limit: 1 }) : [];
      const made = chunks.map((chunk) => ({ chunk_id: chunk.id, embedding: towards(1, 0, 0) }));
      const saveSummary = (part: number) => {
        const key = { content_id: id, version: 1, model: 'm', part };
        return content.saveSummary(key, { text: 'summary at once', revision: undefined });
      };
      const saveVectors = vectors ? [content.saveEmbeddings(maker, made)] : [];
      await Promise.all([saveSummary(0), saveSummary(1), ...saveVectors, content.erase(id)]);
      await save({ id, text: 'unheard' });
      expect(await content.findDetail(id, false)).toMatchObject({ version: 1, embedded: [] });
    }
    expect(await content.findWithText('summary at once', 5)).toEqual([]);
  });

  it('is rid of what an earlier version left of an erased one, once somebody erases it again', async () => {
    if (!store.surreal) return;
    await store.surreal.query("CREATE summary CONTENT { content: 'web:left', version: 1, text: 'left over' }");
    expect(await content.findWithText('left over', 5)).toEqual(['web:left']);
    const erasing = erase({ db: store.db, client: undefined as never, content }, 'content:web:left', 'local');
    await expect(erasing).rejects.toThrow(/web:left/);
    expect(await content.findWithText('left over', 5)).toEqual([]);
  });

  it('is listed by when it was brought in or last changed, to be erased', async () => {
    const [first, second] = [await save({ text: 'first' }), await save({ text: 'second' })];
    await save({ id: first.id, text: 'first, changed' });
    const later = new Date(Date.now() + 60_000).toISOString();
    const all = await content.listBefore(later, 100_000);
    expect(all.slice(-2)).toEqual([second.id, first.id]);
    expect(await content.listBefore(later, 3)).toEqual(all.slice(0, 3));
    expect(await content.listBefore('2020-01-01T00:00:00Z', 5)).toEqual([]);
  });

  it.runIf(vectors)('is found by meaning, also with other words, and by both before one', async () => {
    const near = await save({ text: 'felines purr', tags: ['meaning'] });
    const both = await save({ text: 'a quokka smiles', tags: ['meaning'] });
    const far = await save({ text: 'quokka', tags: ['meaning'] });
    await embed(near.id, towards(1, 0, 0.1));
    await embed(both.id, towards(1, 0, 0.2));
    await embed(far.id, towards(-1, 0, 0));
    const filter = { tags: ['meaning'] };
    expect(await search('kitten', { filter, vector: asked(towards(1, 0, 0)) })).toEqual([near.id, both.id, far.id]);
    expect((await search('smiles', { filter, vector: asked(towards(1, 0, 0)) }))[0]).toBe(both.id);
    // A model that has embedded nothing finds nothing by meaning.
    expect(await search('quokka', { filter, vector: { model: 'other', values: [1, 0, 0] } })).toHaveLength(2);
  });

  it.runIf(vectors)(
    'has a vector per chunk and model, which later ones do not replace and a new version drops',
    async () => {
      const { id } = await save({ id: 'web:vectors', text: 'Words. '.repeat(300) });
      const chunks = await content.listUnembeddedChunks(id, maker, { after: 0, limit: 2 });
      expect(chunks).toHaveLength(2);
      const vector = (embedding: number[]) => chunks.map((chunk) => ({ chunk_id: chunk.id, embedding }));
      await content.saveEmbeddings(maker, vector(towards(1, 0, 0)));
      await content.saveEmbeddings(maker, vector(towards(0, 1, 0)));
      const left = await content.listUnembeddedChunks(id, maker, { after: 0, limit: 100 });
      expect(left.map((chunk) => chunk.id)).not.toContain(chunks[0]?.id);
      expect((await content.findDetail(id, false))?.embedded).toEqual([{ model: MODEL, chunks: 2 }]);
      await save({ id, text: 'Other words.' });
      // The work of one who has not heard of the new version.
      await content.saveEmbeddings(maker, vector(towards(1, 0, 0)));
      expect((await content.findDetail(id, false))?.embedded).toEqual([]);
    },
  );

  it.runIf(name === 'Postgres server with pgvector')('drops vectors of chunks that are being replaced', async () => {
    const { id } = await save({ text: 'Replaced words.' });
    const [chunk] = await content.listUnembeddedChunks(id, maker, { after: 0, limit: 1 });
    let saving = Promise.resolve();
    await inTransaction(store.db, async (tx) => {
      await tx`DELETE FROM chunks WHERE content_id = ${id}`;
      saving = content.saveEmbeddings(maker, [{ chunk_id: chunk!.id, embedding: towards(1, 0, 0) }]);
      saving.catch(() => {});
      await eventually(async () => expect(await tx`SELECT FROM pg_locks WHERE NOT granted`).toHaveLength(1));
    });
    await saving;
    expect((await content.findDetail(id, false))?.embedded).toEqual([]);
  });

  it.runIf(vectors)('is found behind many that a filter leaves out', async () => {
    const length = 384;
    const direction = (angle: number) => [Math.cos(angle), Math.sin(angle), ...new Array(length - 2).fill(0)];
    for (let index = 0; index < 300; index++) {
      const { id } = await save({ text: `filler ${index}`, tags: ['crowd'] });
      await embed(id, direction(index / 10_000));
    }
    const rare = await save({ text: 'rare', tags: ['rare-one'] });
    await embed(rare.id, direction(1));
    expect(await search('nothing', { filter: { tags: ['rare-one'] }, vector: asked(direction(0)) })).toEqual([rare.id]);
  });
});

it.runIf(pgvector)('indexes vectors of an older version anew', async () => {
  const server = await startPostgresServer(pgvector);
  await migrateDatabase(server.url);
  const admin = postgres(server.url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`
    DROP INDEX embeddings_nearest_512;
    CREATE INDEX embeddings_512 ON embeddings USING hnsw ((embedding::vector(512)) vector_cosine_ops) WHERE dimensions = 512`);
  await migrateDatabase(server.url);
  const indexes = await admin<
    Array<{ indexname: string }>
  >`SELECT indexname FROM pg_indexes WHERE tablename = 'embeddings'`;
  expect(indexes.map(({ indexname }) => indexname).toSorted()).toEqual([
    'embeddings_nearest_1024',
    'embeddings_nearest_384',
    'embeddings_nearest_512',
    'embeddings_nearest_768',
    'embeddings_pkey',
  ]);
  await admin.end();
  await server.close();
});

it('starts where the server has pgvector and the user may not use it', async () => {
  const admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  const name = `hapax_${randomUUID().replaceAll('-', '')}`;
  await admin.unsafe(`CREATE ROLE ${name} LOGIN`);
  await admin.unsafe(`CREATE DATABASE ${name} OWNER ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  url.username = name;
  await migrateDatabase(url.href);
  await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
});
