import { eventLeaf, type LeafEvent } from '../../domain/record/checkpoint.ts';
import { hashesOf, partialTilesOf, rootOfAll, TILE_WIDTH, type TileAddress } from '../../domain/record/log-tile.ts';
import type { Hash } from '../../domain/record/merkle-tree.ts';
import { type Db, inTransaction } from '../database.ts';

/** How far the tree of the log reaches. */
export interface LogExtent {
  /** How many events it has. */
  size: number;
  /** The position of the last of them. */
  end: number;
}

/** How many events one transaction adds. It delays no append. */
const BATCH = 5_000;

interface Tile extends TileAddress {
  hashes: Hash[];
  first_position: number | null;
}

/**
 * Adds events to the tree, in order of position: at most one batch of those up to `settled` that it does not have.
 * @param settled a position; no new events may appear up to it.
 */
export async function growLogTree(db: Db, settled: number): Promise<LogExtent> {
  return inTransaction(db, async (tx) => {
    const [extent] = await tx<LogExtent[]>`SELECT size, end_position AS end FROM log_tree FOR UPDATE`;
    const { size, end } = extent!;
    const events = await tx<LeafEvent[]>`
      SELECT position, stream, seq, hash FROM events
      WHERE position > ${end} AND position <= ${settled} ORDER BY position LIMIT ${BATCH}`;
    const last = events.at(-1);
    if (!last) return { size, end };
    const edge = new RightEdge(size, await readEdge(tx, size));
    for (const event of events) edge.add(eventLeaf(event), event.position);
    await saveTiles(tx, edge.changed);
    await tx`UPDATE log_tree SET size = ${edge.size}, end_position = ${last.position}`;
    return { size: edge.size, end: last.position };
  });
}

async function readEdge(tx: Db, size: number): Promise<Tile[]> {
  const wanted = partialTilesOf(size);
  if (wanted.length === 0) return [];
  const rows = await tx<Array<TileAddress & { hashes: Buffer; first_position: number | null }>>`
    SELECT level, tile, hashes, first_position FROM log_tiles
    JOIN jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) AS wanted (level int, tile bigint) USING (level, tile)`;
  return rows.map((row) => ({ ...row, hashes: hashesOf(row.hashes) }));
}

async function saveTiles(tx: Db, tiles: readonly Tile[]): Promise<void> {
  for (const { level, tile, hashes, first_position } of tiles) {
    const bytes = Buffer.concat(hashes);
    await tx`
      INSERT INTO log_tiles (level, tile, hashes, first_position) VALUES (${level}, ${tile}, ${bytes}, ${first_position})
      ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes`;
  }
}

/** The tiles that get the next leaves. */
class RightEdge {
  readonly #open: Array<Tile | undefined> = [];
  readonly #changed = new Set<Tile>();
  #size: number;

  constructor(size: number, partial: readonly Tile[]) {
    this.#size = size;
    for (const tile of partial) this.#open[tile.level] = tile;
  }

  get size(): number {
    return this.#size;
  }

  get changed(): Tile[] {
    return [...this.#changed];
  }

  add(leaf: Hash, position: number): void {
    let hash = leaf;
    for (let level = 0, index = this.#size; ; level += 1, index = Math.floor(index / TILE_WIDTH)) {
      const tile = this.#open[level] ?? this.#openTile(level, index, position);
      tile.hashes.push(hash);
      this.#changed.add(tile);
      if (tile.hashes.length < TILE_WIDTH) break;
      this.#open[level] = undefined;
      hash = rootOfAll(tile.hashes);
    }
    this.#size += 1;
  }

  #openTile(level: number, index: number, position: number): Tile {
    const first_position = level === 0 ? position : null;
    const tile = { level, tile: Math.floor(index / TILE_WIDTH), hashes: [], first_position };
    this.#open[level] = tile;
    return tile;
  }
}
