import { LIMITS } from '../contracts/budgets.ts';
import type { ContentType } from '../contracts/content.ts';
import { chunksOf } from '../domain/chunk.ts';
import { sha256 } from '../domain/hash.ts';
import type { Blobs } from '../integrations/blobs.ts';
import type { ContentRow } from '../store/content-row.ts';
import { saveContent } from '../store/content-save.ts';
import type { Db } from '../store/database.ts';

export interface ContentKeeper {
  db: Db;
  blobs: Blobs;
}

/** What was brought in, and the document it came from. */
export interface BroughtIn {
  id: string;
  type: ContentType;
  url: string;
  title: string;
  author: string | null;
  language: string | null;
  published_at: string | null;
  tags: string[];
  text: string;
  source: { kind: 'html' | 'json' | 'txt'; body: string };
}

/** Keeps content and its source; the same text again changes nothing. */
export async function keepContent({ db, blobs }: ContentKeeper, given: BroughtIn): Promise<ContentRow> {
  const { source, text: raw, title, author, tags, published_at, ...rest } = given;
  const text = storable(raw);
  // Named by its own hash, and written first, so that no row names a document that is not there.
  const blobKey = `sources/${sha256(source.body)}.${source.kind}`;
  await blobs.put(blobKey, source.body);
  return saveContent(db, {
    ...rest,
    title: storable(title).slice(0, LIMITS.content.titleCharacters).toWellFormed(),
    author: author === null ? null : storable(author),
    published_at: published_at === null ? null : new Date(published_at).toISOString(),
    tags: tags.slice(0, LIMITS.content.tags).map(storable),
    text_sha256: sha256(text),
    blob_key: blobKey,
    characters: text.length,
    chunks: chunksOf(text),
  });
}

/** Postgres takes neither NUL nor half of a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}
