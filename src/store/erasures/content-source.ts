import { type Db, inTransaction } from '../database.ts';

/** Records which document a content came from, before that document is written. Waits while a worker deletes the same document. */
export function saveContentSource(db: Db, contentId: string, blobKey: string): Promise<void> {
  return inTransaction(db, async (tx) => {
    await lockDocument(tx, blobKey);
    await tx`
      INSERT INTO content_sources ${tx({ content_id: contentId, blob_key: blobKey })}
      ON CONFLICT (content_id, blob_key) DO UPDATE SET erased = false`;
  });
}

/** Records the document of a content that an earlier version of Hapax brought in, unless that is known. */
export async function addContentSource(db: Db, contentId: string, blobKey: string): Promise<void> {
  await db`INSERT INTO content_sources ${db({ content_id: contentId, blob_key: blobKey })} ON CONFLICT DO NOTHING`;
}

/** Says whether a content that was brought in has been erased. If nothing was ever erased, a content without a source is an older one. */
export async function isContentErased(db: Db, contentId: string): Promise<boolean> {
  const [row] = await db<Array<{ erased: boolean }>>`
    SELECT EXISTS (SELECT FROM erasures)
      AND NOT EXISTS (SELECT FROM content_sources WHERE content_id = ${contentId} AND NOT erased) AS erased`;
  return row!.erased;
}

/**
 * Marks the documents of a content for deletion.
 * @param known a document that may have been written before this table existed.
 * @returns whether this call marked one: of several calls at the same time, one does.
 */
export async function markSourcesErased(db: Db, contentId: string, known: string): Promise<boolean> {
  const marked = await db`UPDATE content_sources SET erased = true WHERE content_id = ${contentId} AND NOT erased`;
  const added = await db`
    INSERT INTO content_sources ${db({ content_id: contentId, blob_key: known, erased: true })} ON CONFLICT DO NOTHING`;
  return marked.count + added.count > 0;
}

/** Marks a document that a content no longer names for deletion. */
export async function markSourceUnused(db: Db, contentId: string, blobKey: string): Promise<void> {
  await db`UPDATE content_sources SET erased = true WHERE content_id = ${contentId} AND blob_key = ${blobKey}`;
}

/** Lists documents of erased contents that no other content came from. */
export async function listErasedSources(db: Db, limit: number): Promise<string[]> {
  const rows = await db<Array<{ blob_key: string }>>`
    SELECT DISTINCT blob_key FROM content_sources AS mine WHERE erased AND NOT EXISTS (
      SELECT FROM content_sources AS other WHERE other.blob_key = mine.blob_key AND NOT other.erased
    ) LIMIT ${limit}`;
  return rows.map(({ blob_key }) => blob_key);
}

/** Deletes a document that only erased contents came from. A task that brings in the same document waits for this. */
export function deleteErasedSource(db: Db, blobKey: string, remove: (blobKey: string) => Promise<void>): Promise<void> {
  return inTransaction(db, async (tx) => {
    await lockDocument(tx, blobKey);
    const rows = await tx<Array<{ erased: boolean }>>`SELECT erased FROM content_sources WHERE blob_key = ${blobKey}`;
    if (rows.length === 0 || rows.some(({ erased }) => !erased)) return;
    await remove(blobKey);
    await tx`DELETE FROM content_sources WHERE blob_key = ${blobKey}`;
  });
}

/** Forgets documents of erased contents that other contents came from: those documents stay. */
export async function forgetSharedSources(db: Db): Promise<void> {
  await db`
    DELETE FROM content_sources AS mine WHERE erased AND EXISTS (
      SELECT FROM content_sources AS other WHERE other.blob_key = mine.blob_key AND NOT other.erased)`;
}

/** Holds a document until the end of the transaction. A lock on its rows would not: another content adds a row of its own. */
async function lockDocument(tx: Db, blobKey: string): Promise<void> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`source ${blobKey}`}, 0))`;
}
