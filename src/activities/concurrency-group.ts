import type { ExpectedStream } from '../domain/record/stream-fault.ts';
import { listBuildsAhead } from '../store/builds/build-list-ahead.ts';
import { BUILDS } from '../store/builds/build-stream.ts';
import { type Db, databaseFault } from '../store/database.ts';
import { appendEvent } from '../store/record/event-append.ts';
import type { ConcurrencyGroupPort, GroupDecision } from '../workflows/ports/concurrency-group.ts';
import { NotYet } from './failures.ts';

/** How often the next build of a group polls. The one behind it polls half as often, and so on. */
const PAUSE_MS = 1_000;

export function concurrencyGroupActivities(db: Db): ConcurrencyGroupPort {
  return {
    async awaitTurn({ build_id, dedupe_key, cancels, told, longest_pause_ms, expected }): Promise<GroupDecision> {
      const others = await listBuildsAhead(db, build_id);
      const later = others.find(({ supersedes }) => supersedes);
      if (later) return { kind: 'superseded', by: later.id };
      const running = others.find(({ status }) => status === 'in_progress');
      if (cancels && running && !told.includes(running.id)) {
        return { kind: 'cancel_first', build_id: running.id, workflow_id: running.workflow_id };
      }
      if (others.length === 0 && (await begin(build_id, dedupe_key, expected))) return { kind: 'begun' };
      throw new NotYet(
        `waits for ${others.map(({ id }) => `build ${id}`).join(', ')}`,
        Math.min(Math.max(others.length, 1) * PAUSE_MS, longest_pause_ms),
      );
    },
  };

  /** Records that the build begins; false if another build of the group began at the same moment. */
  async function begin(buildId: number, dedupe_key: string, expected?: ExpectedStream): Promise<boolean> {
    const occurred_at = new Date().toISOString();
    try {
      await appendEvent(db, BUILDS, buildId, { type: 'build_started', data: {}, occurred_at, dedupe_key }, expected);
      return true;
    } catch (error) {
      if (databaseFault(error)?.kind === 'conflict') return false;
      throw error;
    }
  }
}
