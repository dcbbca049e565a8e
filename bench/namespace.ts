import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { readSettings } from '../src/contracts/settings.ts';
import { registerSearchAttributes } from '../src/processes/search-attributes.ts';
import { lazyTemporalClient } from '../src/processes/temporal.ts';

/** A client of a namespace, which is made if missing. */
export async function openNamespace(address: string, namespace: string): Promise<Client> {
  const settings = readSettings({ TEMPORAL_NAMESPACE: namespace });
  const { client, connection } = await lazyTemporalClient({ ...settings, address });
  if (namespace === 'default') return client;
  await client.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  // The server takes a while to know its own new namespace.
  for (const giveUp = Date.now() + 30_000; ; await delay(100)) {
    try {
      await registerSearchAttributes(connection, namespace);
      await client.workflow.count();
      return client;
    } catch (error) {
      if (Date.now() > giveUp) throw error;
    }
  }
}
