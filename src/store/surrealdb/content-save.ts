import type { Stem } from '../content/chunk-index.ts';
import type { ContentRow } from '../content/content-row.ts';
import type { NewContent } from '../content/content-save.ts';
import { wordsOfChunks } from './chunk-words.ts';
import { ROW } from './content-row.ts';
import type { SurrealDatabase } from './surrealdb.ts';

/** One statement, so all or nothing. Repeating it changes nothing. */
const SAVE = `{
  LET $id = type::record('content', $row.key);
  LET $known = (SELECT version, text_sha256, created_at FROM $id)[0];
  IF $known = NONE OR $known.text_sha256 != $row.text_sha256 {
    LET $version = ($known.version OR 0) + 1;
    UPSERT $id CONTENT object::extend($row, { version: $version, created_at: $known.created_at OR $row.updated_at });
    DELETE chunk WHERE content = $row.key;
    DELETE summary WHERE content = $row.key;
    DELETE embedding WHERE content = $row.key;
    FOR $chunk IN $chunks {
      UPSERT type::record('chunk', [$row.key, $version, $chunk.seq]) CONTENT object::extend($chunk, {
        content: $row.key, version: $version, type: $row.type, tags: $row.tags
      });
    };
  };
  RETURN (SELECT ${ROW} FROM $id)[0];
}`;

/** Saves content: see the port. */
export async function saveContent(
  surreal: SurrealDatabase,
  stem: Stem,
  { chunks: texts, id, ...given }: NewContent,
): Promise<ContentRow> {
  const words = await wordsOfChunks(
    stem,
    texts.map((text) => ({ title: given.title, text })),
  );
  const chunks = texts.map((text, index) => ({ seq: index + 1, text, ...words[index] }));
  const row = { ...given, key: id, updated_at: new Date().toISOString() };
  const [saved] = await surreal.write<[ContentRow]>(SAVE, { row, chunks });
  return saved;
}
