/**
 * `node bench/search.ts [CHUNKS] [server|embedded]`: how long POST /api/v1/search takes among many chunks, each query asked
 * once. Not part of `npm run bench`, since filling the database takes minutes. docs/benchmarks.md says how to read it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { LocalModel } from '../src/integrations/content/local-model.ts';
import { startEmbeddedPostgres } from '../src/laptop/embedded-postgres.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { findPgvectorServer } from '../test/world/pgvector-server.ts';
import { startPostgresServer } from '../test/world/postgres-server.ts';
import { closedLoop, type Round } from './closed-loop.ts';
import type { HttpLoad } from './http-load.ts';
import { API_URL, UP_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { fillWithChunks, queries } from './search-corpus.ts';

const CHUNKS = Number(process.argv[2] ?? 100_000);
const kind = process.argv[3] ?? 'server';
/** The last ones warm up. */
const WARM_UP = 100;
const asked = queries.slice(0, -WARM_UP);

await runBenchmark('bench-search', main);

async function main(scratch: Scratch): Promise<void> {
  const { url, startApi } = await (kind === 'embedded' ? embedded(scratch) : server(scratch));
  const model = new LocalModel();
  await migrateDatabase(url);
  const beganAt = performance.now();
  await fillWithChunks(url, CHUNKS, model);
  console.log(`${CHUNKS} chunks in ${((performance.now() - beganAt) / 1_000).toFixed(0)} s (${kind})`);
  await measureBare(url, model);
  await model.close();

  const apiUrl = await startApi();
  const load = scratch.processes.helper<HttpLoad>('http-load.ts');
  const search = (connections: number, given: string[], tags: string[]) =>
    load.ask<Round>({ kind: 'searches', url: apiUrl, connections, queries: given, tags });
  await search(1, queries.slice(-WARM_UP), []);
  tell('POST /api/v1/search, one after the other', await search(1, asked, []));
  tell('with a tag that half of all contents have', await search(1, asked, ['half']));
  tell('with a tag that one of a hundred contents has', await search(1, asked, ['rare']));
  tell('four at once', await search(4, asked, []));
}

/** What both halves of a search cannot do without, alone: the vector of a query, and its nearest ten chunks by pgvector. */
async function measureBare(url: string, model: LocalModel): Promise<void> {
  const sql = postgres(url, { max: 1, fetch_types: false });
  const vectors: number[][] = [];
  const embed = async (query = '') => {
    vectors.push(...(await model.embed([query], 'query', new AbortController().signal)));
  };
  await closedLoop({ connections: 1, until: { count: WARM_UP } }, (n) => embed(queries.at(-1 - n)));
  vectors.length = 0;
  const once = { connections: 1, until: { count: asked.length } };
  tell('the vector of a query', await closedLoop(once, (n) => embed(asked[n])));
  const length = vectors[0]?.length;
  const nearest = async (vector: number[] | undefined) => {
    await sql.unsafe(
      `SELECT chunk_id FROM embeddings WHERE dimensions = ${length}
       ORDER BY embedding::halfvec(${length}) <=> $1::halfvec(${length}) LIMIT 10`,
      [JSON.stringify(vector)],
      { prepare: true },
    );
  };
  for (const vector of vectors.slice(-WARM_UP)) await nearest(vector);
  tell('bare: the nearest ten chunks, from pgvector', await closedLoop(once, (n) => nearest(vectors[n])));
  await sql.end();
}

/** The role `api` over a Postgres server with pgvector. What is asked here needs no Temporal. */
async function server({ processes, atEnd }: Scratch) {
  const installation = await findPgvectorServer();
  if (!installation) throw new Error('there is no Postgres server with pgvector to measure');
  const { url, close } = await startPostgresServer(installation);
  atEnd(close);
  const startApi = () => {
    const api = processes.role('api', ['api'], { DATABASE_URL: url, PORT: '0', TEMPORAL_ADDRESS: '127.0.0.1:1' });
    return api.said(API_URL);
  };
  return { url, startApi };
}

/** Laptop mode, whose database is filled before it starts. */
async function embedded({ directory, processes }: Scratch) {
  const home = join(directory, 'home');
  mkdirSync(home, { mode: 0o700 });
  const database = await startEmbeddedPostgres({ directory: join(home, 'postgres'), fsync: false });
  const startApi = async () => {
    await database.close();
    const up = processes.role('up', ['up'], { PORT: '0', TEMPORAL_UI_PORT: '0', HAPAX_HOME: home });
    return up.said(UP_URL);
  };
  return { url: database.url, startApi };
}

function tell(what: string, { perSecond, p50Ms, p99Ms }: Round): void {
  console.log(`${what}: ${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`);
}
