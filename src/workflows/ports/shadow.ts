import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { Run } from '../../contracts/github/github.ts';

/** A build whose dispatch another program sends. */
export interface ShadowedBuild {
  build_id: number;
  request: BuildRequest;
  /** When it was triggered, ISO 8601. */
  created_at: string;
  /** Runs created later than this are not its run; ISO 8601. */
  until: string;
}

/** Activities about runs that other programs start. They only read from the forge. */
export interface ShadowPort {
  /**
   * Looks for the run that belongs to a build, and keeps it for this build: no other gets it. Repeating it finds the same run.
   * `complete`: it read the whole list since the build, so a run that is not in it does not exist yet.
   */
  takeOtherRun(build: ShadowedBuild): Promise<{ run: Run | null; complete: boolean }>;

  /**
   * Returns further runs that were made for the request of a build which has its run, oldest first. Keeps them for this build in the
   * same way.
   */
  takeDoubledRuns(build: ShadowedBuild): Promise<Run[]>;
}
