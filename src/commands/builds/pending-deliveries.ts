import { setTimeout as delay } from 'node:timers/promises';
import { repeat } from '../lifecycle/repeat.ts';
import { type DeliveryDependencies, workOffPending } from './take-delivery.ts';

/** Pause between two polls. One poll is one short query. */
const EVERY_MS = 2_000;
/** The pause after a failure: another process may reach what this one cannot. */
const AFTER_FAILURE_MS = 10_000;
/** How many are claimed at once. If a process stops, others can claim its deliveries after a minute. */
const AT_ONCE = 10;
/** How long a stopping process waits for running work. The next process does the rest. */
const PATIENCE_MS = 2_000;

/**
 * Does the work of webhook deliveries that could not be done when they came, because Temporal was away or the process died.
 * Each process with the API does this; the database says which one has claimed what.
 */
export function startPendingDeliveries(deps: DeliveryDependencies): { stop(): Promise<void> } {
  const working = repeat(async () => {
    const succeeded = await workOffPending(deps, AT_ONCE).catch((err: unknown) => {
      deps.log.debug({ err }, 'webhooks that wait for their work wait on');
      return false;
    });
    return succeeded ? EVERY_MS : AFTER_FAILURE_MS;
  });
  return {
    async stop() {
      await Promise.race([working.stop(), delay(PATIENCE_MS, undefined, { ref: false })]);
    },
  };
}
