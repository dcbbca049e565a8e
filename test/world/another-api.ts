import type { Client } from '@temporalio/client';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { type ApiServerOptions, startApiServer } from '../../src/api/server.ts';
import { readSettings, type Settings } from '../../src/contracts/settings.ts';
import { createMetrics } from '../../src/roles/metrics.ts';
import { openDatabase } from '../../src/store/database.ts';
import { callers } from './world.ts';

/** Another API of an installation, with a way of its own to the database, for as long as the test runs. */
export async function startAnotherApi(
  installation: { namespace: string; client: Client; databaseUrl: string },
  webhooks?: ApiServerOptions['webhooks'],
  given: Partial<Record<keyof Settings, string>> = {},
) {
  const database = openDatabase({ url: installation.databaseUrl });
  onTestFinished(() => database.close());
  const api = await startApiServer({
    settings: readSettings({
      PORT: '0',
      LOG_LEVEL: 'silent',
      TEMPORAL_NAMESPACE: installation.namespace,
      GITHUB_POLL_INTERVAL: '100ms',
      ...given,
    }),
    repository: 'acme/images',
    client: installation.client,
    workerBeside: false,
    db: database.db,
    checkGitHub: async () => {},
    webhooks,
    embedQuery: undefined,
    meter: createMetrics(database.db),
    log: pino({ level: 'silent' }),
  });
  onTestFinished(() => api.close());
  return callers(api.url);
}
