import { describe, expect, it } from 'vitest';
import {
  type CompleteSubtree,
  consistencyProof,
  EMPTY_ROOT,
  GrowingTree,
  type Hash,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
} from '../../src/domain/record/merkle-tree.ts';
import vectors from '../fixtures/merkle-vectors.json' with { type: 'json' };
import { isConsistent, isIncluded } from '../world/merkle-proofs.ts';

const hashOf = (text: string | null) => Buffer.from(text ?? '', 'base64');
const proofOf = (proof: string[] | null) => (proof ?? []).map(hashOf);

describe('the public vectors of transparency-dev/merkle', () => {
  it.each(vectors.inclusion)('inclusion $name', ({ leafIdx, treeSize, root, leafHash: leaf, proof, wantErr }) => {
    const tree = { size: treeSize, root: hashOf(root) };
    expect(isIncluded(hashOf(leaf), leafIdx, tree, proofOf(proof))).toBe(!wantErr);
  });

  it.each(vectors.consistency)('consistency $name', ({ size1, size2, root1, root2, proof, wantErr }) => {
    const [earlier, later] = [
      { size: size1, root: hashOf(root1) },
      { size: size2, root: hashOf(root2) },
    ];
    expect(isConsistent(earlier, later, proofOf(proof))).toBe(!wantErr);
  });
});

describe('a tree of every size to 70', () => {
  const leaves = Array.from({ length: 70 }, (_, index) => leafHash(Buffer.from(String(index))));
  /** Written as RFC 6962 defines it, without the code under test. */
  const mth = (hashes: readonly Hash[]): Hash => {
    if (hashes.length < 2) return hashes[0] ?? EMPTY_ROOT;
    let half = 1;
    while (half * 2 < hashes.length) half *= 2;
    return nodeHash(mth(hashes.slice(0, half)), mth(hashes.slice(half)));
  };
  const subtree: CompleteSubtree = async (start, height) => mth(leaves.slice(start, start + 2 ** height));
  const sizes = Array.from({ length: leaves.length + 1 }, (_, size) => size);
  const headOf = (size: number) => ({ size, root: mth(leaves.slice(0, size)) });

  it('has the root that the definition gives, from its subtrees and as it grows', async () => {
    const growing = new GrowingTree();
    for (const size of sizes) {
      expect(growing.size).toBe(size);
      expect(growing.root()).toEqual(headOf(size).root);
      expect(await rootOf(subtree, 0, size)).toEqual(headOf(size).root);
      if (leaves[size]) growing.add(leaves[size]);
    }
  });

  it('proves each of its leaves, and no other at its place', async () => {
    for (const size of sizes.slice(1)) {
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(subtree, index, size);
        expect(isIncluded(leaves[index]!, index, headOf(size), proof)).toBe(true);
        expect(isIncluded(leafHash(Buffer.from('other')), index, headOf(size), proof)).toBe(false);
      }
    }
  });

  it('proves that it begins with each that it was before, and with no other', async () => {
    for (const to of sizes) {
      expect(await consistencyProof(subtree, 0, to)).toEqual([]);
      for (const from of sizes.slice(1, to + 1)) {
        const proof = await consistencyProof(subtree, from, to);
        expect(isConsistent(headOf(from), headOf(to), proof)).toBe(true);
        const other = { size: from, root: leafHash(Buffer.from('other')) };
        expect(isConsistent(other, headOf(to), proof)).toBe(false);
      }
    }
  });
});
