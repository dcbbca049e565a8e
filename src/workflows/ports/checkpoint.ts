/** What the schedule of checkpoints asks of workers. */
export interface CheckpointPort {
  /** Signs how far the log goes, and publishes it. Does nothing without a key. */
  checkpointLog(): Promise<void>;
}
