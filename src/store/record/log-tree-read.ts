import type { LeafEvent } from '../../domain/record/checkpoint.ts';
import { subtreesOf, TILE_WIDTH, type TileAddress } from '../../domain/record/log-tile.ts';
import type { CompleteSubtree } from '../../domain/record/merkle-tree.ts';
import type { Db } from '../database.ts';

/** The subtrees of the log, whose tiles are read once for as long as this is held. @throws where the tree does not go so far. */
export function logSubtrees(db: Db): CompleteSubtree {
  const tiles = new Map<string, Promise<Buffer>>();
  return subtreesOf((address) => {
    const key = `${address.level}/${address.tile}`;
    const reading = tiles.get(key) ?? readTile(db, address);
    tiles.set(key, reading);
    return reading;
  });
}

/** The hashes of a tile of the log, as many as it has. @throws where there is none. */
export async function readTile(db: Db, { level, tile }: TileAddress): Promise<Buffer> {
  const [row] = await db<Array<{ hashes: Buffer }>>`
    SELECT hashes FROM log_tiles WHERE level = ${level} AND tile = ${tile}`;
  if (!row) throw new Error(`the tree of the log has no tile ${level}/${tile}`);
  return row.hashes;
}

/** The events whose leaves are the first ones of a tile of level 0. */
export async function listTileEvents(db: Db, tile: number, width: number): Promise<LeafEvent[]> {
  return db<LeafEvent[]>`
    SELECT position, stream, seq, hash FROM events
    WHERE position >= (SELECT first_position FROM log_tiles WHERE level = 0 AND tile = ${tile})
    ORDER BY position LIMIT ${width}`;
}

/** An event and which leaf of the tree it is; undefined where no event has that position, or the tree does not go so far. */
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
