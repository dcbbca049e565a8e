/** Activities that the schedule of artifacts calls. */
export interface ArtifactPort {
  /** Records the artifacts of runs that have ended. */
  recordArtifacts(): Promise<void>;
}
