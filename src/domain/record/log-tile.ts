import { type CompleteSubtree, HASH_BYTES, type Hash, nodeHash } from './merkle-tree.ts';

/** A tile covers this many levels of the tree (C2SP tlog-tiles). */
const TILE_HEIGHT = 8;
/** How many hashes a full tile has. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** The address of a tile. At level 0, the hashes are those of leaves; at the others, those of full tiles of the level below. */
export interface TileAddress {
  level: number;
  tile: number;
}

/** A tile, full or partial, with its number of hashes. */
export interface PartialTile extends TileAddress {
  width: number;
}

/** Returns the tiles on the right edge of a tree: those that are neither full nor empty. */
export function partialTilesOf(size: number): PartialTile[] {
  const tiles: PartialTile[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.push({ level, tile: Math.floor(hashes / TILE_WIDTH), width });
  }
  return tiles;
}

/** Yields the tiles of a tree that an earlier tree did not have in this width, lowest level first. */
export function* tilesBetween(from: number, to: number): Generator<PartialTile> {
  for (let level = 0, before = from, after = to; after > 0; level += 1) {
    for (let tile = Math.floor(before / TILE_WIDTH); tile * TILE_WIDTH < after; tile++) {
      const width = Math.min(TILE_WIDTH, after - tile * TILE_WIDTH);
      if (tile * TILE_WIDTH + width > before) yield { level, tile, width };
    }
    before = Math.floor(before / TILE_WIDTH);
    after = Math.floor(after / TILE_WIDTH);
  }
}

/**
 * Returns the path of a tile below the root of a log (C2SP tlog-tiles): `tile/0/x001/x234/067`. Partial tiles end with `.p/` and
 * their width.
 * @param level `entries` for the entries of a tile of level 0.
 */
export function tilePath({ level, tile, width }: Omit<PartialTile, 'level'> & { level: number | 'entries' }): string {
  const digits = String(tile).padStart(Math.ceil(String(tile).length / 3) * 3, '0');
  const parts = digits.match(/.{3}/g)!;
  const index = parts.map((part, place) => (place < parts.length - 1 ? `x${part}` : part)).join('/');
  return `tile/${level}/${index}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** Returns the hashes of a tile, in order. */
export function hashesOf(bytes: Buffer): Hash[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

/** Returns the root of hashes whose number is a power of two. */
export function rootOfAll(hashes: readonly Hash[]): Hash {
  let row = hashes;
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, index) => nodeHash(row[2 * index]!, row[2 * index + 1]!));
  }
  return row[0]!;
}

/** Returns a function that computes the subtrees of a tree from its tiles. */
export function subtreesOf(read: (address: TileAddress) => Promise<Buffer>): CompleteSubtree {
  return async (start, height) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const first = start / TILE_WIDTH ** level;
    const count = 2 ** (height % TILE_HEIGHT);
    const offset = first % TILE_WIDTH;
    const hashes = hashesOf(await read({ level, tile: Math.floor(first / TILE_WIDTH) }));
    return rootOfAll(hashes.slice(offset, offset + count));
  };
}
