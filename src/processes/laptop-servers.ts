import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes.ts';
import type { Settings } from '../contracts/settings.ts';
import { startEmbeddedPostgres } from '../laptop/embedded-postgres.ts';
import { superviseTemporal } from '../laptop/supervised-temporal.ts';
import { findTemporalCli } from '../laptop/temporal-cli.ts';
import { never, type StartWait } from './start-wait.ts';

/** Opens Temporal's development server, or the server of TEMPORAL_ADDRESS with our search attributes. */
export async function openTemporal(settings: Settings, directory: string, wait: StartWait) {
  const { say: report } = wait;
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = settings;
  if (address !== undefined) {
    const { prepareTemporal } = await import('./migrate-server.ts');
    await prepareTemporal({ ...settings, address }, wait);
    return { address, uiUrl: undefined, failed: never, close: async () => {} };
  }
  const cli = await findTemporalCli({ env: process.env, report });
  return superviseTemporal({
    cli,
    directory: join(directory, 'temporal'),
    namespace,
    port: settings.TEMPORAL_PORT || undefined,
    uiPort: settings.TEMPORAL_UI_PORT || undefined,
    // The ports where tools expect Temporal, unless another instance uses them.
    preferred: { port: settings.TEMPORAL_PORT ?? 7233, uiPort: settings.TEMPORAL_UI_PORT ?? 8233 },
    trustedHosts: settings.TRUSTED_HOSTS,
    searchAttributes: SEARCH_ATTRIBUTES,
    report,
  });
}

/** Opens the embedded Postgres, or the one of DATABASE_URL, and brings its schema up to date. */
export async function openPostgres(settings: Settings, directory: string, wait: StartWait) {
  if (settings.DATABASE_URL !== undefined) {
    const { DATABASE_URL: url } = settings;
    const { migrateServer } = await import('./migrate-server.ts');
    await migrateServer(url, wait);
    return { url, embeddedUrl: undefined, role: settings.DATABASE_ROLE, failed: never, close: async () => {} };
  }
  // If every core compiles Postgres, each thread keeps memory that it never gives back: 30 MB on two cores.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
  const embedded = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const { migrateEmbedded } = await import('./laptop-parts.ts');
  await migrateEmbedded(embedded.url);
  const { url, failed } = embedded;
  return { url, embeddedUrl: url, role: undefined, failed, close: () => embedded.close() };
}
