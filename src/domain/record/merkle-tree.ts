import { createHash } from 'node:crypto';

/** A SHA-256 hash. */
export type Hash = Buffer;

/** Length of a hash. */
export const HASH_BYTES = 32;

/** Root of a tree without leaves. */
export const EMPTY_ROOT: Hash = sha256();

/** Returns the hash of a leaf (RFC 6962, 2.1). A byte before the entry keeps leaves and nodes apart. */
export function leafHash(entry: Uint8Array): Hash {
  return sha256(Buffer.of(0), entry);
}

/** Returns the hash of a node above two others (RFC 6962, 2.1). */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(Buffer.of(1), left, right);
}

function sha256(...parts: Uint8Array[]): Hash {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * A function that returns the hash of the complete subtree of `2 ** height` leaves from leaf `start`, which is a multiple of that
 * number.
 */
export type CompleteSubtree = (start: number, height: number) => Promise<Hash>;

/** Returns the root of the leaves from `start` to before `end` of a tree (RFC 6962, 2.1: `MTH`). */
export async function rootOf(subtree: CompleteSubtree, start: number, end: number): Promise<Hash> {
  const size = end - start;
  if (size === 0) return EMPTY_ROOT;
  const height = Math.log2(size);
  if (Number.isInteger(height) && start % size === 0) return subtree(start, height);
  const middle = start + splitOf(size);
  const [left, right] = await Promise.all([rootOf(subtree, start, middle), rootOf(subtree, middle, end)]);
  return nodeHash(left, right);
}

/** Returns the hashes that show that a leaf is in the tree of that size, from its sibling up (RFC 6962, 2.1.1: `PATH`). */
export async function inclusionProof(subtree: CompleteSubtree, index: number, size: number): Promise<Hash[]> {
  const proof: Hash[] = [];
  for (let start = 0, end = size; end - start > 1; ) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      proof.push(await rootOf(subtree, middle, end));
      end = middle;
    } else {
      proof.push(await rootOf(subtree, start, middle));
      start = middle;
    }
  }
  return proof.reverse();
}

/** Returns the hashes that show that a tree begins with all of an earlier, smaller one (RFC 6962, 2.1.2: `PROOF`). */
export async function consistencyProof(subtree: CompleteSubtree, from: number, to: number): Promise<Hash[]> {
  if (from === 0 || from === to) return [];
  const proof: Hash[] = [];
  let start = 0;
  let end = to;
  while (end !== from) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      proof.push(await rootOf(subtree, middle, end));
      end = middle;
    } else {
      proof.push(await rootOf(subtree, start, middle));
      start = middle;
    }
  }
  // If nothing comes before it, this is the root of the earlier tree, which the verifier has.
  if (start > 0) proof.push(await rootOf(subtree, start, end));
  return proof.reverse();
}

/** Returns the largest power of two that is smaller than a size of at least 2. */
function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}

/** A tree as a checkpoint describes it: its number of leaves, and its root. */
export interface TreeHead {
  size: number;
  root: Hash;
}

/**
 * Computes the root of leaves that come one after the other, without keeping them. It keeps the roots of the complete subtrees so
 * far, largest first.
 */
export class GrowingTree {
  readonly #roots: Hash[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(leaf: Hash): void {
    let hash = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) hash = nodeHash(this.#roots.pop()!, hash);
    this.#roots.push(hash);
    this.#size += 1;
  }

  root(): Hash {
    return (
      this.#roots.reduceRight<Hash | undefined>((right, left) => (right ? nodeHash(left, right) : left), undefined) ??
      EMPTY_ROOT
    );
  }
}
