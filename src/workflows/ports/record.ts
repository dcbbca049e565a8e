import type { BuildEvent } from '../../contracts/event.ts';
import type { TaskEvent } from '../../contracts/task-event.ts';

/** What workflows ask of the record. Telling an event twice is telling it once. */
export interface RecordPort {
  /** Tells an event of a build. Answers with the data of the event that stands, which is the earlier one if it had been told before. */
  appendBuildEvent(request: { build_id: number; event: BuildEvent }): Promise<{ data: Record<string, unknown> }>;

  /**
   * Tells an event of a task. Answers whether that is what stands, and not what another told before under the same key; no more,
   * since arguments and results may be large and the answer goes into the history of the workflow.
   */
  appendTaskEvent(request: { task_id: string; event: TaskEvent }): Promise<{ stands: boolean }>;
}
