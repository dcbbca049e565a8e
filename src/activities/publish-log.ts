import { entryBundle, readCheckpoint } from '../domain/record/checkpoint.ts';
import { type PartialTile, tilePath, tilesBetween } from '../domain/record/log-tile.ts';
import { HASH_BYTES, rootOf } from '../domain/record/merkle-tree.ts';
import type { Blobs } from '../integrations/blobs.ts';
import type { Db } from '../store/database.ts';
import { findNextCheckpoint, type SignedCheckpoint } from '../store/record/checkpoint-save.ts';
import { listTileEvents, logSubtrees, readTile } from '../store/record/log-tree-read.ts';

/** A place where the log is published. Nothing is ever deleted there. */
type Place = Pick<Blobs, 'get' | 'put'>;

/** How many events are published before their checkpoint is. If this is interrupted, they are published again. */
export const PUBLISHED_AT_ONCE = 2 ** 18;
/** How many files are written at once. */
const FILES_AT_ONCE = 16;

type Published = Pick<SignedCheckpoint, 'size' | 'note'>;

/**
 * Publishes the log at a place up to a checkpoint: first the tiles and entries that the place lacks, then the checkpoint
 * (C2SP tlog-tiles). A large log is published by the checkpoints that were made on the way.
 * @param until a time of `performance.now()`; nothing more starts after it.
 * @param atOnce default {@link PUBLISHED_AT_ONCE}.
 * @throws {Error} if the place has a checkpoint that this log does not continue: one of the two was changed, or set back.
 */
export async function publishLog(
  db: Db,
  place: Place,
  last: Published,
  until: number,
  atOnce = PUBLISHED_AT_ONCE,
): Promise<void> {
  const before = readCheckpoint((await place.get('checkpoint'))?.toString() ?? '');
  const continues = async ({ size, root }: typeof before & object) =>
    size <= last.size && (await rootOf(logSubtrees(db), 0, size)).equals(root);
  if (before && !(await continues(before))) {
    throw new Error(`the log does not continue the checkpoint of ${before.size} events that was published`);
  }
  for (let from = before?.size ?? 0; from < last.size && performance.now() < until; ) {
    const next = (await findNextCheckpoint(db, from, atOnce)) ?? last;
    await publishTiles(db, place, [...tilesBetween(from, next.size)]);
    await place.put('checkpoint', next.note);
    from = next.size;
  }
}

async function publishTiles(db: Db, place: Place, tiles: readonly PartialTile[]): Promise<void> {
  for (let at = 0; at < tiles.length; at += FILES_AT_ONCE) {
    await Promise.all(tiles.slice(at, at + FILES_AT_ONCE).map((tile) => publishTile(db, place, tile)));
  }
}

async function publishTile(db: Db, place: Place, tile: PartialTile): Promise<void> {
  const hashes = await readTile(db, tile);
  await place.put(tilePath(tile), hashes.subarray(0, tile.width * HASH_BYTES));
  if (tile.level > 0) return;
  const events = await listTileEvents(db, tile.tile, tile.width);
  await place.put(tilePath({ ...tile, level: 'entries' }), entryBundle(events));
}
