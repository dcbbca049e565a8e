import type { Settings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';
import { findLogFault } from '../store/record/log-fault-find.ts';
import { mayRebuild, rebuildProjection } from '../store/record/projection-rebuild.ts';
import { STREAM_KINDS } from '../store/record/stream-kinds.ts';
import { withRecord } from './record-database.ts';

/** Runs `hapax rebuild`: rebuilds the projections from a log that nobody changed, even while other processes run. */
export function runRebuild(settings: Settings): Promise<void> {
  return withRecord(settings, { role: '' }, async (db) => {
    if (!(await mayRebuild(db))) {
      throw new UserError(
        'this database login may not rebuild: use the login that runs `hapax migrate` in DATABASE_URL',
      );
    }
    const found = await findLogFault(db);
    if (found) {
      const { stream, seq, fault } = found;
      throw new UserError(
        `${stream} event ${seq}: ${fault}; nothing was rebuilt, since the stored state may still show what was recorded: run \`hapax audit verify\`, keep this database, and restore a backup`,
      );
    }
    for (const kind of STREAM_KINDS) {
      const startedAt = performance.now();
      const { rows, events, corrected, removed } = await rebuildProjection(db, kind);
      const seconds = (performance.now() - startedAt) / 1_000;
      const rate = Math.round(events / seconds);
      console.log(`${rows} ${kind.name}s from ${events} events in ${seconds.toFixed(1)} s (${rate} events/s)`);
      console.log(`${corrected} rows were missing or wrong, ${removed} had no events`);
    }
  });
}
