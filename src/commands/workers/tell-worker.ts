import type { Client } from '@temporalio/client';
import type { WorkerControl } from '../../contracts/tasks/worker-control.ts';
import { notFound, Refusal } from '../refusal.ts';
import { listWorkerProcesses } from './list-pollers.ts';
import { orderWorker } from './order-worker.ts';

type Order = Exclude<keyof WorkerControl, 'inspect'>;

/**
 * Sends an order to a worker.
 * @param worker its identity.
 * @throws {Refusal} 404 if there is no such worker; 409 if it refuses, or does not reply; 503
 */
export async function tellWorker<Name extends Order>(
  client: Client,
  worker: string,
  order: Name,
  ...args: Parameters<WorkerControl[Name]>
): Promise<void> {
  if (!(await listWorkerProcesses(client)).some(({ identity }) => identity === worker)) {
    throw notFound(`worker ${worker}`);
  }
  const outcome = await orderWorker(client, worker, order, args);
  switch (outcome.kind) {
    case 'replied': {
      const { refused } = outcome.reply;
      if (refused === null) return;
      throw new Refusal('state_conflict', { detail: `worker ${worker} refused: ${refused}` });
    }
    case 'gone':
      throw notFound(`worker ${worker}: it is gone`);
    case 'silent':
      throw new Refusal('state_conflict', {
        detail: `worker ${worker} got the command but did not report the result; look at it in a moment`,
      });
    default:
      outcome satisfies never;
  }
}
