import { proxyActivities } from '@temporalio/workflow';
import type { ArtifactPort } from './ports/artifacts.ts';
import type { CheckpointPort } from './ports/checkpoint.ts';
import type { SweepPort } from './ports/sweeps.ts';

/** One attempt: the next run of the schedule goes on where this one ended. */
const sweeps = proxyActivities<SweepPort & CheckpointPort & ArtifactPort>({
  startToCloseTimeout: '4m',
  retry: { maximumAttempts: 1 },
});

/** Looks for missed webhooks, every few minutes. */
export const sweepDeliveries = () => sweeps.redeliverMissedWebhooks();

/** Deletes what has expired, every hour. */
export const sweepExpired = () => sweeps.deleteExpired();

/** Signs the log, every minute. */
export const checkpoint = () => sweeps.checkpointLog();

/** Records the artifacts of runs that have ended, every minute. */
export const sweepArtifacts = () => sweeps.recordArtifacts();
