/**
 * How long a search takes among many chunks: `node bench/search.ts [CHUNKS] [server|embedded]`. Not part of `npm run bench`,
 * since filling the database takes minutes. Chunks are made of three of the thousand glosses that the tests ship, and their
 * vectors of those glosses' vectors by the local model, each with some noise; questions are those of the tests.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { LocalModel } from '../src/integrations/local-model.ts';
import { startEmbeddedPostgres } from '../src/laptop/embedded-postgres.ts';
import { openDatabase } from '../src/store/database.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { answerSearch } from '../src/store/search-answer.ts';
import { findPgvectorServer } from '../test/world/pgvector-server.ts';
import { startPostgresServer } from '../test/world/postgres-server.ts';

const CHUNKS = Number(process.argv[2] ?? 100_000);
const kind = process.argv[3] ?? 'server';
const ROUNDS = 10;
const BATCH = 500;
const never = new AbortController().signal;

const { documents, queries } = JSON.parse(
  readFileSync(new URL('../test/fixtures/wordnet-glosses.json', import.meta.url), 'utf8'),
) as { documents: Array<[id: string, title: string, text: string]>; queries: Array<[query: string, id: string]> };

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
let state = 42;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

async function openDatabaseServer() {
  if (kind === 'embedded') {
    const directory = await mkdtemp(join(tmpdir(), 'hapax-bench-'));
    const embedded = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), fsync: false });
    const close = async () => {
      await embedded.close();
      await rm(directory, { recursive: true, force: true });
    };
    return { url: embedded.url, close };
  }
  const installation = await findPgvectorServer();
  if (!installation) throw new Error('there is no Postgres server with pgvector to measure');
  return startPostgresServer(installation);
}

function chunkOf(vectors: number[][]) {
  const picked = [0, 1, 2].map(() => Math.floor(random() * documents.length));
  const length = vectors[0]?.length ?? 0;
  const sum = Array.from({ length }, (_, at) => {
    const base = picked.reduce((total, one) => total + (vectors[one]?.[at] ?? 0), 0);
    return Number((base + (random() - 0.5) * 0.1).toFixed(3));
  });
  return { text: picked.map((one) => documents[one]?.[2]).join('. '), embedding: JSON.stringify(sum) };
}

const server = await openDatabaseServer();
const model = new LocalModel();
const database = openDatabase({ url: server.url });
try {
  await migrateDatabase(server.url);
  const vectors = await model.embed(
    documents.map(([, , text]) => text),
    'document',
    never,
  );
  const length = vectors[0]?.length ?? 0;
  const sql = postgres(server.url, { max: 1, fetch_types: false, onnotice: () => {} });
  const filling = performance.now();
  if (kind === 'server') await sql.unsafe(`DROP INDEX embeddings_nearest_${length}`);
  for (let at = 0; at < CHUNKS; at += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, index) => ({ id: `web:${at + index}`, ...chunkOf(vectors) }));
    await sql.unsafe(
      `WITH given AS (SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS one (id text, text text, embedding text)),
       content AS (
         INSERT INTO contents SELECT id, 'web', 'https://example.test/', 'Of three things', NULL, 'en', NULL, '[]', 1, '', '', 0, now(), now()
         FROM given
       ), chunk AS (
         INSERT INTO chunks (content_id, version, seq, text, words)
         SELECT id, 1, 1, text, to_tsvector('english', text) FROM given RETURNING id, content_id
       )
       INSERT INTO embeddings SELECT chunk.id, $2, ${length}, embedding::vector FROM chunk JOIN given ON given.id = content_id`,
      [JSON.stringify(rows), model.name],
    );
  }
  if (kind === 'server') {
    await sql.unsafe("SET maintenance_work_mem = '1GB'");
    await sql.unsafe(
      `CREATE INDEX embeddings_nearest_${length} ON embeddings USING hnsw ((embedding::halfvec(${length})) halfvec_cosine_ops) WHERE dimensions = ${length}`,
    );
  }
  await sql.unsafe('ANALYZE');
  console.log(`${CHUNKS} chunks in ${((performance.now() - filling) / 1_000).toFixed(0)} s (${kind})`);

  const known = new Map<string, number[]>();
  const embed = async (text: string) => ({
    model: model.name,
    values: (await model.embed([text], 'query', never))[0] ?? [],
  });
  for (const [query] of queries) known.set(query, (await embed(query)).values);
  const ways = {
    'with the vector of the query made': embed,
    'with that vector at hand': async (text: string) => ({ model: model.name, values: known.get(text) ?? [] }),
    'by words alone': undefined,
  };
  for (const [name, embedQuery] of Object.entries(ways)) {
    const took: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [query] of queries) {
        const startedAt = performance.now();
        await answerSearch(database.db, embedQuery, { query, limit: 10 });
        // The first round warms up.
        if (round > 0) took.push(performance.now() - startedAt);
      }
    }
    took.sort((a, b) => a - b);
    const at = (share: number) => `${took[Math.ceil(took.length * share) - 1]?.toFixed(1)} ms`;
    console.log(`${name}: ${took.length} searches, p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`);
  }
  await sql.end();
} finally {
  await model.close();
  await database.close();
  await server.close();
}
