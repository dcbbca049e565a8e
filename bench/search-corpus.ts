import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import type { LocalModel } from '../src/integrations/content/local-model.ts';
import { indexEntries, WORDS_FORM } from '../src/store/content/chunk-index.ts';
import { stemWords } from '../src/store/content/word-stem.ts';
import { openDatabase } from '../src/store/database.ts';

const { documents, queries: questions } = JSON.parse(
  readFileSync(new URL('../test/fixtures/wordnet-glosses.json', import.meta.url), 'utf8'),
) as { documents: Array<[id: string, title: string, text: string]>; queries: Array<[query: string, id: string]> };

/** Questions of people, and the beginnings of glosses: what is searched for, each once. */
export const queries = [
  ...questions.map(([question]) => question),
  ...documents.map(([, , text]) => text.split(/\s+/).slice(0, 8).join(' ')),
];

/** As a transcript of a quarter of an hour has. */
const CHUNKS_PER_CONTENT = 10;
const BATCH = 500;
/** Different words of a hundred thousand chunks of English prose, about. */
const VOCABULARY = 100_000;
/** Every hundredth content has the tag `rare`, every second one `half`. */
const RARE = 100;

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
let state = 42;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

const oneOf = <Item>(items: Item[]): Item => items[Math.floor(random() * items.length)]!;

/**
 * Words as often as in prose (Zipf and Mandelbrot: the one at rank r in proportion to 1 / (r + 2.7)). The first ranks are
 * the words of the glosses, which are those of the queries too; the rest are made up, and stand for names and the like.
 */
function wordSource(): () => string {
  const counts = new Map<string, number>();
  for (const [, , text] of documents) {
    for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
  for (let rank = words.length; rank < VOCABULARY; rank++) words.push(madeUp(rank));
  let sum = 0;
  const sums = Float64Array.from(words, (_, index) => {
    sum += 1 / (index + 1 + 2.7);
    return sum;
  });
  return () => {
    const drawn = random() * sum;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < drawn) low = middle + 1;
      else high = middle;
    }
    return words[low]!;
  };
}

function madeUp(rank: number): string {
  const syllables = ['ba', 'ko', 'ri', 'su', 'le', 'na', 'ti', 'mo', 'ga', 'fe'];
  return [...String(rank)].map((digit) => syllables[Number(digit)]).join('');
}

interface GivenChunk {
  seq: number;
  text: string;
  words: string;
  embedding: string;
}

/** Ten chunks about ten glosses: each has the text of three of them, and words of prose up to about 700 characters. */
function chunksOfOne(vectors: number[][], word: () => string): GivenChunk[] {
  const topics = Array.from({ length: 10 }, () => Math.floor(random() * documents.length));
  return Array.from({ length: CHUNKS_PER_CONTENT }, (_, index) => {
    const picked = [oneOf(topics), oneOf(topics), oneOf(topics)];
    let text = picked.map((one) => documents[one]?.[2]).join('. ');
    const length = 600 + random() * 200;
    while (text.length < length) text += ` ${word()}`;
    const sum = Array.from({ length: vectors[0]?.length ?? 0 }, (_, at) => {
      const base = picked.reduce((total, one) => total + (vectors[one]?.[at] ?? 0), 0);
      return Number((base + (random() - 0.5) * 0.1).toFixed(3));
    });
    return { seq: index + 1, text, words: '', embedding: JSON.stringify(sum) };
  });
}

/**
 * Fills a migrated database with so many chunks. Embedding that many texts would take an hour, so their vectors are made of
 * those of their glosses, with noise of about half their length. The indexes are built at the end.
 */
export async function fillWithChunks(url: string, chunks: number, model: LocalModel): Promise<void> {
  const texts = documents.map(([, , text]) => text);
  const vectors = await model.embed(texts, 'document', new AbortController().signal);
  const word = wordSource();
  const database = openDatabase({ url, connections: 1 });
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  const indexes = await sql.unsafe<Array<{ name: string; made: string }>>(
    `SELECT indexname AS name, indexdef AS made FROM pg_indexes
     WHERE indexname IN ('embeddings_nearest_${vectors[0]?.length}', 'chunks_by_word')`,
  );
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  for (let at = 0; at < chunks; at += BATCH) {
    const contents = Array.from({ length: BATCH / CHUNKS_PER_CONTENT }, (_, index) => {
      const number = at / CHUNKS_PER_CONTENT + index;
      const tags = [...(number % RARE === 0 ? ['rare'] : []), ...(number % 2 === 0 ? ['half'] : [])];
      return { id: `web:${number}`, title: oneOf(documents)[1], tags, chunks: chunksOfOne(vectors, word) };
    });
    const pieces = contents.flatMap(({ title, chunks: some }) =>
      some.map((chunk) => ({ title, text: chunk.text, chunk })),
    );
    const entries = await indexEntries(
      (given) => stemWords(database.db, given),
      pieces,
      (words) => words,
    );
    for (const [index, words] of entries.entries()) pieces[index]!.chunk.words = words;
    await sql.unsafe(
      `WITH given AS (SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS one (id text, title text, tags jsonb, chunks jsonb)),
       content AS (
         INSERT INTO contents SELECT id, 'web', 'https://example.test/', title, NULL, 'en', NULL, tags, 1, '', '', 0, now(), now()
         FROM given
       ), pieces AS (
         SELECT given.id, title, piece.* FROM given, jsonb_to_recordset(chunks) AS piece (seq integer, text text, words text, embedding text)
       ), chunk AS (
         INSERT INTO chunks (content_id, version, seq, text, words, words_form)
         SELECT id, 1, seq, text, words::tsvector, ${WORDS_FORM} FROM pieces RETURNING id, content_id, seq
       )
       INSERT INTO embeddings (chunk_id, model, dimensions, embedding)
       SELECT chunk.id, $2, vector_dims(embedding::vector), embedding::vector
       FROM chunk JOIN pieces ON pieces.id = content_id AND pieces.seq = chunk.seq`,
      [JSON.stringify(contents), model.name],
    );
  }
  await sql.unsafe("SET maintenance_work_mem = '400MB'");
  for (const { made } of indexes) await sql.unsafe(made);
  await sql.unsafe('VACUUM ANALYZE');
  await database.close();
  await sql.end();
}
