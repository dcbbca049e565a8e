/** Activities that the schedule of checkpoints calls. */
export interface CheckpointPort {
  /** Signs how far the log goes, and publishes it. Does nothing without a key. */
  checkpointLog(): Promise<void>;
}
