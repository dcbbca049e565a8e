import type { BuildEvent } from '../contracts/event.ts';
import { BUILDS } from '../store/build-stream.ts';
import type { Db } from '../store/database.ts';
import { appendEvent } from '../store/event-append.ts';
import type { RecordPort } from '../workflows/ports/record.ts';
import type { ActivityMeter } from './meter.ts';

const ENDS: ReadonlySet<BuildEvent['type']> = new Set(['build_completed', 'build_cancelled']);

export function recordActivities(db: Db, meter?: ActivityMeter): RecordPort {
  return {
    async appendBuildEvent({ build_id, event }) {
      const { event: standing, state: build } = await appendEvent(db, BUILDS, build_id, event);
      if (build && ENDS.has(event.type)) meter?.buildEnded(build);
      return { data: standing.data };
    },
  };
}
