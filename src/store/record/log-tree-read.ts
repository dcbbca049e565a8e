import type { LeafEvent } from '../../domain/record/checkpoint.ts';
import { subtreesOf, TILE_WIDTH, type TileAddress } from '../../domain/record/log-tile.ts';
import type { CompleteSubtree } from '../../domain/record/merkle-tree.ts';
import type { Db } from '../database.ts';

/**
 * Returns the subtrees of the log. It reads each tile once for as long as the result is held. @throws if the tree ends before them.
 */
export function logSubtrees(db: Db): CompleteSubtree {
  const tiles = new Map<string, Promise<Buffer>>();
  return subtreesOf((address) => {
    const key = `${address.level}/${address.tile}`;
    const reading = tiles.get(key) ?? readTile(db, address);
    tiles.set(key, reading);
    return reading;
  });
}

/** Returns the hashes of a tile of the log, as many as it has. @throws if there is no such tile. */
export async function readTile(db: Db, { level, tile }: TileAddress): Promise<Buffer> {
  const [row] = await db<Array<{ hashes: Buffer }>>`
    SELECT hashes FROM log_tiles WHERE level = ${level} AND tile = ${tile}`;
  if (!row) throw new Error(`the tree of the log has no tile ${level}/${tile}`);
  return row.hashes;
}

/** Returns how many events the tree has. */
export async function findTreeSize(db: Db): Promise<number> {
  const [row] = await db<Array<{ size: number }>>`SELECT size FROM log_tree`;
  return row?.size ?? 0;
}

/** Lists the events whose leaves are the first `width` of a tile of level 0. */
export async function listTileEvents(db: Db, tile: number, width: number): Promise<LeafEvent[]> {
  return db<LeafEvent[]>`
    SELECT position, stream, seq, hash FROM events
    WHERE position >= (SELECT first_position FROM log_tiles WHERE level = 0 AND tile = ${tile})
    ORDER BY position LIMIT ${width}`;
}

/** Finds an event and the index of its leaf in the tree; undefined if no event has that position, or if the tree ends before it. */
export async function findLeaf(db: Db, position: number): Promise<(LeafEvent & { index: number }) | undefined> {
  const [row] = await db<Array<LeafEvent & { index: number }>>`
    WITH start AS (
      SELECT tile, first_position FROM log_tiles
      WHERE level = 0 AND first_position <= ${position} ORDER BY first_position DESC LIMIT 1
    )
    SELECT position, stream, seq, hash, tile * ${TILE_WIDTH} + (
      SELECT count(*) FROM events AS before WHERE before.position >= first_position AND before.position < ${position}
    ) AS index
    FROM start, events WHERE position = ${position}`;
  return row;
}
