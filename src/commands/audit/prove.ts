import { logEntry } from '../../domain/record/checkpoint.ts';
import { consistencyProof, inclusionProof } from '../../domain/record/merkle-tree.ts';
import type { Db } from '../../store/database.ts';
import { findLastCheckpoint, type SignedCheckpoint } from '../../store/record/checkpoint-save.ts';
import { findLeaf, findTreeSize, logSubtrees } from '../../store/record/log-tree-read.ts';
import { invalidRequest, notFound, Refusal } from '../refusal.ts';

/** Returns the last checkpoint. @throws {Refusal} 404 if none was made yet, or if there is no key. */
export async function lastCheckpoint(db: Db): Promise<SignedCheckpoint> {
  const checkpoint = await findLastCheckpoint(db);
  if (checkpoint) return checkpoint;
  throw new Refusal('not_found', { detail: 'there is no checkpoint; a worker with CHECKPOINT_KEY makes one a minute' });
}

/** Returns the last checkpoint once the tree has its events: after a restore, it grows again. @throws {Refusal} 404 */
async function provableCheckpoint(db: Db): Promise<SignedCheckpoint> {
  const checkpoint = await lastCheckpoint(db);
  const size = await findTreeSize(db);
  if (size >= checkpoint.size) return checkpoint;
  const detail = `the tree of the log has ${size} of ${checkpoint.size} events, since it grows again after a restore; ask again in a minute`;
  throw new Refusal('not_found', { detail, retryAfterSeconds: 60 });
}

/**
 * Proves that an event is in the log (C2SP tlog-proof). To verify the proof, one needs only the key of the log. Its `extra`
 * is the entry of the event. @throws {Refusal} 404 if no event has that position, or no checkpoint includes it yet.
 */
export async function proveInclusion(db: Db, position: number): Promise<string> {
  const { size, end, note } = await provableCheckpoint(db);
  const leaf = await findLeaf(db, position);
  if (!leaf) throw notFound(`event at position ${position}`);
  if (leaf.index >= size) {
    throw new Refusal('not_found', {
      detail: `no checkpoint has position ${position} yet; the last one ends at ${end}: ask again in a minute`,
      retryAfterSeconds: 60,
    });
  }
  const proof = await inclusionProof(logSubtrees(db), leaf.index, size);
  const extra = Buffer.from(logEntry(leaf)).toString('base64');
  const hashes = proof.map((hash) => `${hash.toString('base64')}\n`).join('');
  return `c2sp.org/tlog-proof@v1\nextra ${extra}\nindex ${leaf.index}\n${hashes}\n${note}`;
}

/** Proves that the tree of one checkpoint begins with all of another. @throws {Refusal} 400 if the log is shorter; 404. */
export async function proveConsistency(
  db: Db,
  { from, to }: { from: number; to?: number | undefined },
): Promise<{ from: number; to: number; proof: string[] }> {
  const { size } = await provableCheckpoint(db);
  const end = to ?? size;
  if (end > size) throw invalidRequest([{ path: 'query.to', message: `must be at most ${size}, the last checkpoint` }]);
  if (from > end) throw invalidRequest([{ path: 'query.from', message: `must be at most ${end}` }]);
  const proof = await consistencyProof(logSubtrees(db), from, end);
  return { from, to: end, proof: proof.map((hash) => hash.toString('base64')) };
}
