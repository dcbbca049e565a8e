import type { SurrealDatabase } from './surrealdb.ts';

const ERASE = `{
  DELETE embedding WHERE content = $id;
  DELETE summary WHERE content = $id;
  DELETE chunk WHERE content = $id;
  DELETE type::record('content', $id);
};
IF type::record('content', $id).version = NONE {
  DELETE embedding WHERE content = $id;
  DELETE summary WHERE content = $id;
}`;

/**
 * Deletes a content with everything made from it, in one statement: all or nothing. Then deletes what was written at the same time, as
 * SurrealDB sees no conflict between that and a deletion.
 */
export async function eraseContent(surreal: SurrealDatabase, id: string): Promise<void> {
  await surreal.query(ERASE, { id });
}

/**
 * Finds contents that have a text in themselves or in anything made from them; returns their ids. Reads all contents. A scan
 * of the chunks reads those of a content in order, since their record ids end with it.
 */
export async function findContentsWithText(surreal: SurrealDatabase, text: string, limit: number): Promise<string[]> {
  const results = await surreal.query<Array<string[]>>(
    `SELECT VALUE key FROM content
       WHERE string::lowercase(string::concat(key, ' ', url, ' ', title, ' ', author OR '', ' ', <string>tags)) CONTAINS $text LIMIT $limit;
     SELECT VALUE content FROM (SELECT content, array::join(text, '') AS whole FROM chunk GROUP BY content)
       WHERE string::lowercase(whole) CONTAINS $text LIMIT $limit;
     SELECT VALUE content FROM (SELECT content FROM summary WHERE string::lowercase(text) CONTAINS $text GROUP BY content) LIMIT $limit`,
    { text: text.toLowerCase(), limit },
  );
  return [...new Set(results.flat())].slice(0, limit);
}

/** Lists ids of contents that were brought in, or last changed, before a time, oldest first. */
export async function listContentsBefore(surreal: SurrealDatabase, before: string, limit: number): Promise<string[]> {
  const [rows] = await surreal.query<[Array<{ key: string }>]>(
    'SELECT key, updated_at FROM content WHERE updated_at < $before ORDER BY updated_at LIMIT $limit',
    { before, limit },
  );
  return rows.map(({ key }) => key);
}
