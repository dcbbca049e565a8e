import { LIMITS } from '../contracts/budgets.ts';
import type { BuildCallback } from '../contracts/builds/build.ts';
import type { RecordedEvent } from '../contracts/builds/event.ts';
import type { CallbackEvent } from '../contracts/endings/callback.ts';
import type { CallbackMessage } from '../contracts/endings/callback-workflow.ts';
import { TASK_CALLBACK_TYPES, type TaskCallback } from '../contracts/tasks/task.ts';
import { buildSummaryOf, failedJobsIn } from '../domain/builds/build-view.ts';
import { recordedRunIn } from '../domain/builds/provenance.ts';
import { foldEvents } from '../domain/record/fold.ts';
import { sha256 } from '../domain/record/hash.ts';
import { taskSummaryOf } from '../domain/tasks/task-view.ts';
import { BUILDS } from '../store/builds/build-stream.ts';
import type { Db } from '../store/database.ts';
import { BEGUN_AGAIN } from '../store/endings/ending-find.ts';
import { appendEvent } from '../store/record/event-append.ts';
import { listEvents } from '../store/record/event-list-by-stream.ts';
import { TASKS } from '../store/tasks/task-stream.ts';

/** What callbacks need from a build or a task. */
interface CallbackSubject {
  /** Composes the message about one of its endings, for one of its targets. */
  compose(db: Db, ending: string, target: string | undefined): Promise<CallbackMessage>;
  append(db: Db, event: CallbackEvent): Promise<{ repeated: boolean }>;
}

/** Returns the subject with this stream. */
export function subjectOf(stream: string): CallbackSubject {
  const [kind, id] = stream.split(/:(.*)/s);
  switch (kind) {
    case 'build':
      return {
        compose: async (db, ending, target) => composeBuildCallback(await listEvents(db, stream), ending, target),
        append: (db, event) => appendEvent(db, BUILDS, Number(id), event),
      };
    case 'task':
      return {
        compose: async (db, ending, target) => composeTaskCallback(await listEvents(db, stream), ending, target),
        append: (db, event) => appendEvent(db, TASKS, id!, event),
      };
    default:
      throw new Error(`nobody tells callbacks about ${stream}`);
  }
}

/**
 * Composes what a callback says about an ending of a build: the build as it was then, whatever became of it since. This
 * includes why it became a dead letter, which is recorded right after the end.
 */
export function composeBuildCallback(
  events: readonly RecordedEvent[],
  ending: string,
  target?: string,
): CallbackMessage {
  const { ended, told } = storyOf(events, ending);
  const build = foldEvents(BUILDS, told)!;
  const failed_jobs = failedJobsIn([ended]);
  const commit = recordedRunIn(told, build.workflow_run_id)?.commit ?? null;
  const summary = { ...buildSummaryOf(build), failed_jobs, commit };
  const { inputs: _, ...withoutInputs } = summary;
  const bodyOf = (data: BuildCallback['data']) => {
    const type = ended.type === 'build_cancelled' ? 'build.cancelled' : 'build.completed';
    return JSON.stringify({ type, timestamp: ended.occurred_at, data } satisfies BuildCallback);
  };
  return messageOf(ended, target, bodyOf(summary), bodyOf(withoutInputs));
}

/**
 * Composes what a callback says about an ending of a task: the task and its result as they were then. Leaves out a result
 * that makes the body too long; the receiver finds it at GET /tasks/{id}.
 */
export function composeTaskCallback(
  events: readonly RecordedEvent[],
  ending: string,
  target?: string,
): CallbackMessage {
  const { ended, told } = storyOf(events, ending);
  const task = foldEvents(TASKS, told)!;
  const { task_id, status, ...rest } = taskSummaryOf(task);
  const bodyOf = (data: TaskCallback['data']) => {
    const type = TASK_CALLBACK_TYPES[ended.type as keyof typeof TASK_CALLBACK_TYPES];
    return JSON.stringify({ type, timestamp: ended.occurred_at, data } satisfies TaskCallback);
  };
  const { result } = task;
  return messageOf(ended, target, bodyOf({ task_id, status, result, ...rest }), bodyOf({ task_id, status, ...rest }));
}

/** Returns the ending, and all events until the build or task went on. */
function storyOf(events: readonly RecordedEvent[], ending: string) {
  const at = events.findIndex((event) => event.dedupe_key === ending);
  const ended = events[at];
  if (!ended) throw new Error(`there is no event ${ending}`);
  const again = events.findIndex((event, index) => index > at && BEGUN_AGAIN.includes(event.type));
  return { ended, told: again === -1 ? events : events.slice(0, again) };
}

function messageOf(ended: RecordedEvent, target: string | undefined, whole: string, short: string): CallbackMessage {
  // The id comes from the hash of the ending, since another installation may have a build with the same number. Each URL
  // has its own id: one receiver may be behind several URLs, and handles an id once.
  const id = target === undefined ? ended.hash : sha256(`${ended.hash}:${target}`);
  return {
    webhook_id: `msg_${id.slice(0, 32)}`,
    body: Buffer.byteLength(whole) <= LIMITS.callbacks.bodyBytes ? whole : short,
  };
}
