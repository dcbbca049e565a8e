import type { Db } from '../store/database.ts';
import { appendBuildEvent } from '../store/event-append.ts';
import type { RecordPort } from '../workflows/ports/record.ts';

export function recordActivities(db: Db): RecordPort {
  return {
    async appendBuildEvent({ build_id, event }) {
      const { event: standing } = await appendBuildEvent(db, build_id, event);
      return { data: standing.data };
    },
  };
}
