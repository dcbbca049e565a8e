/** What became of a scheduled time. */
export interface Fired {
  kind: 'fired' | 'skipped' | 'known' | 'gone';
  made?: string[];
  reason?: string;
}

/** What the workflow of a firing asks. */
export interface SchedulePort {
  /**
   * Makes what the schedule is for, or records why not. Until it has done one of the two it fails retryably. A time that is fired twice
   * makes everything once.
   */
  fireSchedule(request: { schedule: string; time: string }): Promise<Fired>;
}
