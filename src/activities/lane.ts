import type { ExpectedStream } from '../domain/record/stream-fault.ts';
import { listLaneMates } from '../store/builds/build-list-lane.ts';
import { BUILDS } from '../store/builds/build-stream.ts';
import { type Db, databaseFault } from '../store/database.ts';
import { appendEvent } from '../store/record/event-append.ts';
import type { LanePort, Turn } from '../workflows/ports/lane.ts';
import { NotYet } from './failures.ts';

/** The next build in a lane looks this often, the one behind it half as often, and so on. */
const PAUSE_MS = 1_000;

export function laneActivities(db: Db): LanePort {
  return {
    async awaitTurn({ build_id, dedupe_key, cancels, told, longest_pause_ms, expected }): Promise<Turn> {
      const others = await listLaneMates(db, build_id);
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

  /** Records that the build begins; false if another build of the lane began at the same moment. */
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
