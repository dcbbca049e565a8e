import { GENESIS, linkFault } from '../../domain/record/hash.ts';
import { type Db, readSnapshot } from '../database.ts';
import { scanEventsByStream } from './event-scan-by-stream.ts';
import type { StreamFault } from './record-audit.ts';
import type { AnyStreamKind } from './stream-kind.ts';
import { STREAM_KINDS } from './stream-kinds.ts';

/**
 * Finds the first event that was changed, removed or added after it was recorded: by the hash chains, and by the stored heads, which
 * show an event that was replaced together with its hash. A stream that lacks its end or its stored state is no fault here: the log or
 * the projection may be an older copy.
 */
export function findLogFault(db: Db): Promise<StreamFault | undefined> {
  return readSnapshot(db, async (snapshot) => {
    let stream = '';
    let head = GENESIS;
    for await (const event of scanEventsByStream(snapshot)) {
      if (event.stream !== stream) head = GENESIS;
      stream = event.stream;
      const fault = linkFault(head, event);
      if (fault) return { stream, ...fault };
      head = event;
    }
    for (const kind of STREAM_KINDS) {
      const replaced = await findReplaced(snapshot, kind);
      if (replaced) return { ...replaced, fault: 'was replaced: the stored state holds another hash of it' };
    }
    return undefined;
  });
}

async function findReplaced(snapshot: Db, { name, table }: AnyStreamKind) {
  const [row] = await snapshot<Array<{ stream: string; seq: number }>>`
    SELECT events.stream, events.seq FROM ${snapshot(table)} AS projected
    JOIN events ON events.stream = ${`${name}:`}::text || projected.id AND events.seq = projected.last_seq
    WHERE events.hash <> projected.last_hash ORDER BY projected.id LIMIT 1`;
  return row;
}
