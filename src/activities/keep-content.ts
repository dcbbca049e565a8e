import { LIMITS } from '../contracts/budgets.ts';
import type { ContentType } from '../contracts/content/content.ts';
import { isStorableInstant } from '../contracts/timestamp.ts';
import { sha256 } from '../domain/record/hash.ts';
import { storableText } from '../domain/record/storable.ts';
import type { Blobs } from '../integrations/blobs.ts';
import { cutIntoChunks } from '../store/content/chunk-index.ts';
import type { ContentRow } from '../store/content/content-row.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { Db } from '../store/database.ts';
import { markSourceUnused, saveContentSource } from '../store/erasures/content-source.ts';

export interface ContentKeeper {
  db: Db;
  content: ContentStore;
  blobs: Blobs;
}

/** Content to be saved, and the document it came from. */
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

/** Saves content and its source. The same text again changes nothing. */
export async function keepContent({ db, content, blobs }: ContentKeeper, given: BroughtIn): Promise<ContentRow> {
  const { source, text: raw, title, author, language, tags, published_at, ...rest } = given;
  const text = storableText(raw);
  const most = LIMITS.content;
  // The document is named by its own hash, and written first, so that no row names a missing document.
  const blobKey = `sources/${sha256(source.body)}.${source.kind}`;
  const before = await content.find(given.id);
  await saveContentSource(db, given.id, blobKey);
  await blobs.put(blobKey, source.body);
  const saved = await content.save({
    ...rest,
    title: shortened(title, most.titleCharacters),
    author: author === null ? null : shortened(author, most.authorCharacters),
    language: language === null ? null : shortened(language, most.languageCharacters),
    published_at: publishedAt(published_at),
    tags: tags.slice(0, most.tags).map(storableText),
    text_sha256: sha256(text),
    blob_key: blobKey,
    characters: text.length,
    chunks: await cutIntoChunks(text),
  });
  // Of the new document and the one before, the content names one. The sweep deletes the other.
  for (const key of new Set([before?.blob_key, blobKey]))
    if (key !== undefined && key !== saved.blob_key) await markSourceUnused(db, given.id, key);
  return saved;
}

function shortened(text: string, most: number): string {
  return storableText(text).slice(0, most).toWellFormed();
}

/** Returns when it was published, if its source gives a valid time. */
function publishedAt(told: string | null): string | null {
  const instant = new Date(told ?? Number.NaN);
  return isStorableInstant(instant) ? instant.toISOString() : null;
}
