import type { BuildEvent, RecordedEvent } from '../contracts/builds/event.ts';
import type { TaskEvent } from '../contracts/tasks/task-event.ts';
import { BUILDS } from '../store/builds/build-stream.ts';
import type { Db } from '../store/database.ts';
import { findEnding } from '../store/endings/ending-find.ts';
import { appendEvent } from '../store/record/event-append.ts';
import { findStream } from '../store/record/stream-find.ts';
import { countTaskStarts } from '../store/tasks/task-count-starts.ts';
import { findTask } from '../store/tasks/task-find.ts';
import { TASKS, taskStream } from '../store/tasks/task-stream.ts';
import type { RecordPort, TaskOutcome } from '../workflows/ports/record.ts';
import type { ActivityMeter } from './meter.ts';

const ENDS: ReadonlySet<BuildEvent['type'] | TaskEvent['type']> = new Set([
  'build_completed',
  'build_cancelled',
  'task_succeeded',
  'task_failed',
  'task_revoked',
]);

/** Events that can end a build. A recovery does so if the record had lost the end before a retry. */
const BUILD_ENDS: ReadonlySet<string> = new Set(['build_completed', 'build_cancelled', 'build_recovered']);

export function recordActivities(db: Db, meter?: ActivityMeter): RecordPort {
  return {
    async appendBuildEvent({ build_id, event, follower, ...expected }) {
      const appended = await appendEvent(db, BUILDS, build_id, event, expected, follower);
      const { event: standing, seq, repeated, state: build } = appended;
      if (build && ENDS.has(event.type)) meter?.buildEnded(build);
      return { data: standing.data, seq, ...(repeated ? { repeated } : {}) };
    },

    async findBuildEnd({ build_id }) {
      const { state, events = [] } = (await findStream(db, BUILDS, build_id)) ?? {};
      const end = events.findLast(({ type }) => BUILD_ENDS.has(type));
      if (!end || state?.completed_at == null) return null;
      const { status, conclusion, run_url } = state;
      return { status, conclusion: conclusion ?? status, run_url, dedupe_key: end.dedupe_key };
    },

    async isTold({ build_id, dedupe_key }) {
      const found = await findStream(db, BUILDS, build_id);
      return found?.events.some((event) => event.dedupe_key === dedupe_key) ?? false;
    },

    async appendTaskEvent({ task_id, event, follower, ...expected }) {
      const appended = await appendEvent(db, TASKS, task_id, event, expected, follower);
      const { event: standing, seq, repeated, state: task } = appended;
      if (task && ENDS.has(event.type)) meter?.taskEnded(task);
      return { stands: isSame(standing, event), seq, ...(repeated ? { repeated } : {}) };
    },

    async findTaskEnd({ task_id }) {
      const ending = await findEnding(db, taskStream(task_id));
      if (!ending) return null;
      const { attempts = 0 } = (await findTask(db, task_id)) ?? {};
      return { outcome: taskOutcomeOf(ending as unknown as TaskEvent, attempts), dedupe_key: ending.dedupe_key };
    },

    async hasTaskStarted({ task_id, attempt }) {
      return (await countTaskStarts(db, task_id, attempt)) > 0;
    },
  };
}

function taskOutcomeOf({ type, data }: TaskEvent, attempts: number): TaskOutcome {
  switch (type) {
    case 'task_succeeded':
      return { kind: 'succeeded', result: data.result };
    case 'task_failed':
      return { kind: 'failed', error: data.error, attempts };
    case 'task_revoked':
      return { kind: 'revoked', reason: data.reason, by: data.by };
    default:
      throw new Error(`${type} ends no task`);
  }
}

/**
 * Says whether two events are the same. API and workflow append the same event; if the existing one differs, it belongs to
 * another request.
 */
function isSame(standing: RecordedEvent, { occurred_at, data }: TaskEvent): boolean {
  const { redrive_id } = data as { redrive_id?: string };
  return standing.occurred_at === occurred_at && standing.data.redrive_id === redrive_id;
}
