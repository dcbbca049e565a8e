import { entryBundle, readCheckpoint } from '../domain/record/checkpoint.ts';
import { tilePath, tilesBetween } from '../domain/record/log-tile.ts';
import { HASH_BYTES, rootOf } from '../domain/record/merkle-tree.ts';
import type { Blobs } from '../integrations/blobs.ts';
import type { Db } from '../store/database.ts';
import type { SignedCheckpoint } from '../store/record/checkpoint-save.ts';
import { listTileEvents, logSubtrees, readTile } from '../store/record/log-tree-read.ts';

/**
 * Brings a place up to a checkpoint: the tiles and entries that it lacks, and then the checkpoint (C2SP tlog-tiles).
 * @throws {Error} where the place has a checkpoint that this log does not continue: one of the two was changed, or set back.
 */
export async function publishLog(
  db: Db,
  place: Blobs,
  { size, note }: Pick<SignedCheckpoint, 'size' | 'note'>,
): Promise<void> {
  const before = readCheckpoint((await place.get('checkpoint'))?.toString() ?? '');
  if (before && (before.size > size || !(await rootOf(logSubtrees(db), 0, before.size)).equals(before.root))) {
    throw new Error(`the log does not continue the checkpoint of ${before.size} events that was published`);
  }
  if (before?.size === size) return;
  for (const tile of tilesBetween(before?.size ?? 0, size)) {
    const hashes = await readTile(db, tile);
    await place.put(tilePath(tile), hashes.subarray(0, tile.width * HASH_BYTES));
    if (tile.level > 0) continue;
    const events = await listTileEvents(db, tile.tile, tile.width);
    await place.put(tilePath({ ...tile, level: 'entries' }), entryBundle(events));
  }
  await place.put('checkpoint', note);
}
