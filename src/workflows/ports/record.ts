import type { BuildEvent } from '../../contracts/event.ts';

/** What workflows ask of the record. */
export interface RecordPort {
  /**
   * Tells an event of a build to the log; telling it twice is telling it once. Answers with the data of the event that
   * stands, which is the earlier one if it had been told before.
   */
  appendBuildEvent(request: { build_id: number; event: BuildEvent }): Promise<{ data: Record<string, unknown> }>;
}
