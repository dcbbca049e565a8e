import type { Blobs } from '../integrations/blobs.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { Db } from '../store/database.ts';
import { deleteErasedSource, forgetSharedSources, listErasedSources } from '../store/erasures/content-source.ts';

/** How many documents one sweep deletes. The next one goes on. */
const MOST = 5_000;
/** After so many failures in a row, the store is at fault, and not a document. */
const MOST_FAILURES = 3;

/** Deletes the documents that only erased contents came from, and beginnings of documents. One that cannot be deleted stops no other. */
export async function deleteErasedDocuments(
  db: Db,
  { content, blobs }: { content: Pick<ContentStore, 'listBlobKeys'>; blobs: Pick<Blobs, 'delete' | 'deleteDrafts'> },
): Promise<void> {
  const faults: unknown[] = [];
  await blobs.deleteDrafts().catch((error: unknown) => faults.push(error));
  await forgetSharedSources(db);
  const keys = await listErasedSources(db, MOST);
  // Contents from earlier versions of Hapax have no row that names their document.
  const inUse = new Set(keys.length > 0 ? await content.listBlobKeys() : []);
  let failures = 0;
  for (const key of keys) {
    if (inUse.has(key)) continue;
    try {
      await deleteErasedSource(db, key, (blobKey) => blobs.delete(blobKey));
      failures = 0;
    } catch (error) {
      faults.push(error);
      if (++failures === MOST_FAILURES) break;
    }
  }
  if (faults.length > 0) throw faults[0];
}
