import { deleteErasedDocuments } from '../activities/erased-documents.ts';
import type { Retain } from '../activities/sweeps.ts';
import { eraseExpired } from '../commands/erasures/erase-expired.ts';
import type { Blobs } from '../integrations/blobs.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { Ground } from './parts.ts';

/** Shorter than the activity may take: the rest of its time is for the documents. */
const WITHIN_MS = 150_000;

/** Returns what a worker erases once an hour: data that the settings keep only for a time, and documents of erased content. */
export function retentionOf(
  { settings, client, db, log }: Ground,
  { content, blobs }: { content: ContentStore; blobs: Blobs },
): Retain {
  const { KEEP_ARGUMENTS_FOR: keepArgumentsMs, KEEP_CONTENT_FOR: keepContentMs } = settings;
  return async () => {
    await eraseExpired({ db, client, content, log, keepArgumentsMs, keepContentMs }, WITHIN_MS);
    await deleteErasedDocuments(db, { content, blobs });
  };
}
