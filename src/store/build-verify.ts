import { eq } from 'drizzle-orm';
import { type ChainFault, chainFault, GENESIS } from '../domain/hash.ts';
import { compareBuilds, differenceFault } from './build-compare.ts';
import { BuildFold } from './build-fold.ts';
import { type Db, readSnapshot } from './database.ts';
import { buildStream } from './event-append.ts';
import { listEvents } from './event-list-by-stream.ts';
import { builds } from './schema.ts';

/** What recomputing the chain of a build gave. */
export interface BuildProof {
  length: number;
  /** Hash of the last event. */
  head: string;
  /** The first event that is not as it must be. */
  fault: ChainFault | undefined;
}

/** Recomputes the chain of a build and what it adds up to; undefined where nothing was ever heard of it. */
export function verifyBuild(db: Db, id: number): Promise<BuildProof | undefined> {
  return readSnapshot(db, async (snapshot) => {
    const events = await listEvents(snapshot, buildStream(id));
    const head = events.at(-1);
    if (!head) {
      const [row] = await snapshot.select({ seq: builds.last_seq }).from(builds).where(eq(builds.id, id));
      const fault = { seq: 1, fault: `event 1 is missing: the projection goes up to event ${row?.seq}` };
      return row && { length: 0, head: GENESIS.hash, fault };
    }
    const proof = { length: events.length, head: head.hash };
    const broken = chainFault(events);
    if (broken) return { ...proof, fault: broken };
    const fold = new BuildFold();
    for (const event of events) {
      const illegal = fold.add(event);
      if (illegal) return { ...proof, fault: illegal };
    }
    const row = fold.row();
    const [difference] = row ? await compareBuilds(snapshot, [row]) : [];
    return { ...proof, fault: difference && differenceFault(difference, head) };
  });
}
