import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { askedWordsOf } from '../../src/domain/content/asked-words.ts';
import { hasLexemes, readLexemeQuery, readLexemes } from '../../src/domain/content/lexeme-query.ts';
import { searchVectorOf, stemmableOf, wordGroupsOf } from '../../src/domain/content/search-words.ts';
import { stemWords } from '../../src/store/content/word-stem.ts';
import { databaseFault } from '../../src/store/database.ts';
import { surrealContent } from '../../src/store/surrealdb/surreal-content.ts';
import { SurrealDatabase, type SurrealOptions } from '../../src/store/surrealdb/surrealdb.ts';
import { saveText } from '../world/content-world.ts';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { type SurrealServerOptions, startSurrealServer } from '../world/surrealdb-server.ts';
import { openTestDatabase, openWorld } from '../world/world.ts';

const open = async (at: SurrealOptions['at'], more: Partial<SurrealOptions> = {}) => {
  const surreal = await SurrealDatabase.load({ at, namespace: 'hapax', database: 'hapax', ...more });
  onTestFinished(() => surreal.close());
  return surrealContent({ surreal, stem: async () => new Map() });
};
const startServer = async (options: SurrealServerOptions = {}) => {
  const server = await startSurrealServer(options);
  onTestFinished(() => server.close());
  const user = (name: string, password = server.password, more: Partial<SurrealOptions> = {}) =>
    open({ url: server.url, user: name, password, level: name === 'root' ? 'root' : 'database' }, more);
  return { ...server, user };
};
const faultOf = async (work: Promise<unknown>) => {
  const fault = databaseFault(
    await work.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  return fault && `${fault.store} ${fault.kind}: ${fault.message}`;
};

describe('a SurrealDB server', () => {
  it('takes a user of its database, and one of its root', async () => {
    const server = await startServer();
    for (const name of ['hapax', 'root']) await (await server.user(name)).check();
  });

  it('says what is wrong: password, rights, address', async () => {
    const server = await startServer();
    expect(await faultOf((await server.user('hapax', 'wrong')).check())).toMatch(/^SurrealDB away: .*authentication/);
    expect(await faultOf((await server.user('reader')).check())).toMatch(/^SurrealDB away: .*permissions/);
    const nowhere = { url: `http://127.0.0.1:${await steadyPort()}`, user: 'hapax', password: 'x' };
    expect(await faultOf((await open({ ...nowhere, level: 'database' })).check())).toMatch(
      /^SurrealDB away: .*ECONNREFUSED/,
    );
  });

  it('is logged in to again when the token has expired', async () => {
    const server = await startServer({ tokens: '1s' });
    const content = await server.user('hapax');
    await saveText(content, 'web:before', 'The moon.');
    const signIns = () => server.asked.filter((method) => method === 'signin').length;
    await expect
      .poll(async () => (await content.find('web:before'))?.id && signIns(), { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
  });

  it('may take longer to save a content than to answer a check', async () => {
    const { promise: saved, resolve: save } = Promise.withResolvers<undefined>();
    const inTurn: Array<Promise<undefined> | 'hang'> = [];
    const server = await startServer({
      disturb: (method) => (method === 'query' ? inTurn.shift() : undefined),
    });
    const content = await server.user('hapax', server.password, { timeoutMs: 3_000, writeTimeoutMs: 600_000 });
    await eventually(() => content.check());
    inTurn.push(saved, 'hang');
    const saving = saveText(content, 'web:long', 'The moon.');
    await eventually(() => expect(inTurn).toHaveLength(1));
    expect(await faultOf(content.check())).toMatch(/^SurrealDB away/);
    save(undefined);
    expect(await saving).toMatchObject({ version: 1 });
  });

  it('is not away because it takes too long to save a content', async () => {
    let hangs = false;
    const server = await startServer({ disturb: () => (hangs ? 'hang' : undefined) });
    const content = await server.user('hapax', server.password, { writeTimeoutMs: 200 });
    await content.check();
    hangs = true;
    expect(await faultOf(saveText(content, 'web:long', 'The moon.'))).toBe(
      'SurrealDB fault: the server did not save the content in time',
    );
    hangs = false;
    await content.check();
  });

  it('gets a write again whose response was lost, and has it once', async () => {
    let lost = 0;
    const server = await startServer({
      disturb: (method) => (method === 'query' && lost-- === 1 ? 'reset' : undefined),
    });
    const content = await server.user('hapax');
    await content.check();
    lost = 1;
    expect(await faultOf(saveText(content, 'web:lost', 'The moon.'))).toMatch(/^SurrealDB away/);
    for (let repeated = 0; repeated < 2; repeated++) await saveText(content, 'web:lost', 'The moon.');
    expect(await content.findDetail('web:lost', true)).toMatchObject({ version: 1, chunk_texts: ['The moon.'] });
  });
});

describe('an embedded SurrealDB', () => {
  it('is for one process at a time, and says so', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hapax-surrealdb-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const first = await open({ directory: join(directory, 'a b') });
    await saveText(first, 'web:one', 'The moon.');
    const second = await open({ directory: join(directory, 'a b') });
    expect(await faultOf(second.check())).toBe(`SurrealDB away: another process uses ${join(directory, 'a b')}`);
    expect(await readdir(directory)).toEqual(['a b']);
    const nowhere = await open({ directory: '/dev/null/x' });
    expect(await faultOf(nowhere.check())).toMatch(/^SurrealDB away: .*Not a directory/);
  });

  it('takes writes of one content and of many at once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hapax-surrealdb-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const content = await open({ directory });
    const words = 'Many words that all have in common, with vectors beside. '.repeat(40);
    const maker = { model: 'm', revision: undefined, dimensions: undefined };
    const bringIn = async (id: string) => {
      await saveText(content, id, words);
      const chunks = await content.listUnembeddedChunks(id, maker, { after: 0, limit: 10 });
      const embedding = Array.from({ length: 384 }, (_, index) => Math.sin(index + id.length));
      await content.saveEmbeddings(
        maker,
        chunks.map(({ id: chunk_id }) => ({ chunk_id, embedding })),
      );
    };
    await Promise.all(Array.from({ length: 40 }, (_, index) => bringIn(`web:${index % 20}`)));
    const { items } = await content.list({}, { after: undefined, limit: 100 });
    expect(items.map(({ version }) => version)).toEqual(new Array(20).fill(1));
    expect((await content.findDetail('web:7', false))?.embedded).toEqual([{ model: 'm', chunks: 3 }]);
  });
});

describe('content tasks and the API with SurrealDB', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  let server: Awaited<ReturnType<typeof startSurrealServer>>;
  let away = false;
  beforeAll(async () => {
    server = await startSurrealServer({ disturb: () => (away ? 'reset' : undefined) });
    world = await openWorld('server', {
      CONTENT_STORE: 'surrealdb',
      SURREALDB_URL: server.url,
      SURREALDB_USER: 'hapax',
      SURREALDB_PASSWORD: server.password,
    });
  });
  afterAll(async () => {
    await world.close();
    await server.close();
  });

  const ended = async (task: object) => {
    const { json } = await world.call('POST', '/tasks', task);
    return expect
      .poll(async () => (await world.call('GET', `/tasks/${json.task_id}`)).json, { timeout: 60_000 })
      .toMatchObject({ status: 'SUCCESS' });
  };
  const ingest = (id: string) => ({
    name: 'ingest_youtube',
    kwargs: { url: `https://youtu.be/${id}`, transcript_text: 'The moon pulls at the sea.', tags: ['tides'] },
  });

  it('ingest, embed, list, show and search; none of it is in Postgres', async () => {
    await ended(ingest('dQw4w9WgXcQ'));
    await ended({ name: 'process_content', args: ['yt:dQw4w9WgXcQ', ['embed']] });
    const { json: listed } = await world.call('GET', '/api/v1/content?tag=tides');
    expect(listed.contents).toMatchObject([{ content_id: 'yt:dQw4w9WgXcQ', version: 1 }]);
    const { json: shown } = await world.call('GET', '/api/v1/content/yt:dQw4w9WgXcQ?chunks=true');
    expect(shown).toMatchObject({ chunk_texts: ['The moon pulls at the sea.'], embedded: [{ chunks: 1 }] });
    const { json: found } = await world.call('POST', '/api/v1/search', { query: 'why are there tides' });
    expect(found).toMatchObject({ method: 'hybrid', results: [{ content_id: 'yt:dQw4w9WgXcQ' }] });
    const page = await world.call('GET', '/console/search?q=moon');
    expect([page.status, page.text.includes('<mark>moon</mark>')]).toEqual([200, true]);
    const [{ count } = { count: -1 }] = await world.db<Array<{ count: number }>>`SELECT count(*) FROM contents`;
    expect(count).toBe(0);
  });

  it('say that it is away and go on when it is back, while everything else works', async () => {
    away = true;
    onTestFinished(() => {
      away = false;
    });
    const health = async () => (await world.call('GET', '/health')).json.dependencies;
    await expect
      .poll(health, { timeout: 30_000 })
      .toMatchObject({ content: { status: 'degraded' }, postgres: { status: 'ok' } });
    expect(await world.call('GET', '/api/v1/content')).toMatchObject({
      status: 503,
      json: { code: 'database_unavailable' },
    });
    expect((await world.call('GET', '/health/ready')).status).toBe(200);
    const { json } = await world.trigger();
    expect(await world.ended(json.id)).toMatchObject({ status: 'success' });
    const { json: waiting } = await world.call('POST', '/tasks', ingest('aaaaaaaaaaa'));
    away = false;
    await expect
      .poll(async () => (await world.call('GET', `/tasks/${waiting.task_id}`)).json, { timeout: 60_000 })
      .toMatchObject({ status: 'SUCCESS', result: { content_id: 'yt:aaaaaaaaaaa' } });
    await expect.poll(health, { timeout: 30_000 }).toMatchObject({ content: { status: 'ok' } });
  });
});

it('reads tsqueries and tsvectors as Postgres does', async () => {
  const { db, close } = await openTestDatabase('server');
  onTestFinished(close);
  const words = fc.constantFrom(
    'sea',
    'ships',
    'the',
    'who',
    'e-mail',
    'getUserName',
    '面包',
    '烤面包',
    'ปลา',
    "king's",
    'a\\b',
    '🍕',
    'C++',
  );
  const texts = fc.array(words, { minLength: 1, maxLength: 8 }).map((some) => some.join(' '));
  await fc.assert(
    fc.asyncProperty(texts, texts, fc.boolean(), async (text, query, isQuoted) => {
      const groups = [text, query].map(wordGroupsOf);
      const stems = await stemWords(db, stemmableOf(groups.flat()));
      const vector = searchVectorOf([], groups[0]!, stems);
      const asked = askedWordsOf(isQuoted ? `"${query}"` : query, groups[1]!, stems);
      const queries = [...asked.words, ...asked.phrases].flatMap(({ term, exact }) => [term, exact]);
      if (asked.verbatim !== undefined) queries.push(asked.verbatim);
      const rows = await db<Array<{ matches: boolean }>>`
        SELECT ${vector}::tsvector @@ query::tsquery AS matches
        FROM jsonb_array_elements_text(${JSON.stringify(queries)}::jsonb) WITH ORDINALITY AS asked (query, at) ORDER BY at`;
      const lexemes = readLexemes(vector);
      const matches = queries.map((one) => hasLexemes(lexemes, readLexemeQuery(one)!));
      expect(matches, JSON.stringify({ text, query, queries })).toEqual(rows.map((row) => row.matches));
    }),
    { seed: 23, numRuns: 300 },
  );
});
