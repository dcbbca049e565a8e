import { join } from 'node:path';
import { startEmbeddedPostgres } from '../src/laptop/embedded-postgres.ts';
import { BUILDS } from '../src/store/builds/build-stream.ts';
import { openDatabase } from '../src/store/database.ts';
import { migrateDatabase } from '../src/store/migrate.ts';
import { appendEvent } from '../src/store/record/event-append.ts';
import { closedLoop, type Round } from './closed-loop.ts';
import { serve } from './helper.ts';
import { storyOf } from './told-builds.ts';

/** Appends to a database (or, without a URL, to an embedded one in `directory`), from as many tellers as the pool has connections. */
export interface Appends {
  url?: string;
  directory: string;
  durationMs: number;
  /** The database has no builds above this one. */
  above: number;
}

export interface AppendRounds {
  /** The first event of a build. */
  first: Round;
  /** Any later one, which reads the head of its stream before it. */
  later: Round;
}

const TELLERS = 10;

serve<Appends>(async ({ url, directory, durationMs, above }): Promise<AppendRounds> => {
  const embedded = url ? undefined : await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const target = url ?? embedded?.url ?? '';
  if (embedded) await migrateDatabase(target);
  const database = openDatabase({ url: target, connections: TELLERS });
  const { db } = database;
  let builds = above;
  const first = async () => {
    const id = ++builds;
    await appendEvent(db, BUILDS, id, storyOf(id)[0]!);
    return id;
  };
  const load = { connections: TELLERS, until: { durationMs } };
  await closedLoop({ ...load, until: { count: 200 } }, async () => void (await first())); // warms up
  const firsts = await closedLoop(load, async () => void (await first()));
  const streams = await Promise.all(Array.from({ length: TELLERS }, first));
  const later = await closedLoop(load, async (n, teller) => {
    const at = new Date().toISOString();
    const data = { attempt: n, token: `hapax-${n}`, temporal_run_id: 'bench' };
    await appendEvent(db, BUILDS, streams[teller]!, {
      type: 'dispatch_intended',
      dedupe_key: `dispatch:${n}:intended`,
      occurred_at: at,
      data,
    });
  });
  await database.close();
  await embedded?.close();
  return { first: firsts, later };
});
