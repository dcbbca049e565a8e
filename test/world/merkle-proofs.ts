import { HASH_BYTES, type Hash, nodeHash, type TreeHead } from '../../src/domain/record/merkle-tree.ts';

/** Says whether a proof shows that a leaf is in a tree (RFC 9162, 2.1.3.2). */
export function isIncluded(leaf: Hash, index: number, tree: TreeHead, proof: readonly Hash[]): boolean {
  if (index < 0 || index >= tree.size || leaf.length !== HASH_BYTES) return false;
  let node = index;
  let last = tree.size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      [node, last] = upFromRight(node, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && hash.equals(tree.root);
}

/** Says whether a proof shows that a tree begins with all of an earlier one that is not empty (RFC 9162, 2.1.4.2). */
export function isConsistent(earlier: TreeHead, later: TreeHead, proof: readonly Hash[]): boolean {
  // The empty tree says nothing about what comes after it.
  if (earlier.size === 0 || earlier.size > later.size) return false;
  if (earlier.size === later.size) return proof.length === 0 && earlier.root.equals(later.root);
  const path = Number.isInteger(Math.log2(earlier.size)) ? [earlier.root, ...proof] : [...proof];
  const first = path.shift();
  if (!first || proof.length === 0) return false;
  let node = earlier.size - 1;
  let last = later.size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let before = first;
  let after = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
      [node, last] = upFromRight(node, last);
    } else {
      after = nodeHash(after, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && before.equals(earlier.root) && after.equals(later.root);
}

/** Skips the levels at which a node on the right edge has no sibling. */
function upFromRight(node: number, last: number): [number, number] {
  let [up, end] = [node, last];
  while (up % 2 === 0 && up !== 0) {
    up = Math.floor(up / 2);
    end = Math.floor(end / 2);
  }
  return [up, end];
}
