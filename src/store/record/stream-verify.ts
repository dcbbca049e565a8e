import { type ChainFault, chainFault, GENESIS } from '../../domain/record/hash.ts';
import { type Db, readSnapshot } from '../database.ts';
import { listEvents } from './event-list-by-stream.ts';
import { compareRows, differenceFault } from './projection-compare.ts';
import { StreamFold } from './stream-fold.ts';
import { type AnyStreamKind, streamOf } from './stream-kind.ts';

/** The result of recomputing the chain of a stream. */
export interface StreamProof {
  length: number;
  /** Hash of the last event. */
  head: string;
  /** The first event that is wrong. */
  fault: ChainFault | undefined;
}

/** Recomputes the hash chain of a stream and its state; undefined if neither the log nor the projection knows the stream. */
export function verifyStream(db: Db, kind: AnyStreamKind, id: string | number): Promise<StreamProof | undefined> {
  return readSnapshot(db, async (snapshot) => {
    const events = await listEvents(snapshot, streamOf(kind, id));
    const head = events.at(-1);
    if (!head) {
      const [row] = await snapshot<
        Array<{ last_seq: number }>
      >`SELECT last_seq FROM ${snapshot(kind.table)} WHERE id = ${id}`;
      const fault = { seq: 1, fault: `event 1 is missing: the stored state goes up to event ${row?.last_seq}` };
      return row && { length: 0, head: GENESIS.hash, fault };
    }
    const proof = { length: events.length, head: head.hash };
    const broken = chainFault(events);
    if (broken) return { ...proof, fault: broken };
    const fold = new StreamFold();
    for (const event of events) {
      const illegal = fold.add(event);
      if (illegal) return { ...proof, fault: illegal };
    }
    const unsound = fold.end();
    if (unsound) return { ...proof, fault: unsound };
    const folded = fold.row();
    const [difference] = folded ? await compareRows(snapshot, kind, JSON.stringify([folded.row])) : [];
    return { ...proof, fault: difference && differenceFault(difference, head) };
  });
}
