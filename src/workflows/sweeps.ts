import { proxyActivities } from '@temporalio/workflow';
import type { SweepPort } from './ports/sweeps.ts';

/** One attempt: the next run of the schedule goes on where this one ended. */
const sweeps = proxyActivities<SweepPort>({ startToCloseTimeout: '4m', retry: { maximumAttempts: 1 } });

/** Looks for missed webhooks, every few minutes. */
export const sweepDeliveries = () => sweeps.redeliverMissedWebhooks();

/** Deletes what has expired, every hour. */
export const sweepExpired = () => sweeps.deleteExpired();
