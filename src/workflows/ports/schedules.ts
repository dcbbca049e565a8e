/** The outcome of a scheduled time. */
export interface Fired {
  kind: 'fired' | 'skipped' | 'known' | 'gone';
  made?: string[];
  reason?: string;
}

/** Activities that the workflow of a firing calls. */
export interface SchedulePort {
  /**
   * Makes the builds or the task of the schedule, or records why not. Until it has done one of the two, it fails retryably. Firing a
   * time twice makes everything once.
   * @param request.version the version of the schedule that has this time; undefined: unknown.
   */
  fireSchedule(request: { schedule: string; time: string; version?: number | undefined }): Promise<Fired>;
}
