import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';
import { NO_TRACING, type Tracing } from '../../src/contracts/tracing/tracing.ts';
import { openWorld } from '../world/world.ts';
import { historyToJson } from './history-json.ts';
import { PATHS, SETTINGS, TRACED } from './paths.ts';
import { HANDLERS } from './task-paths.ts';

/** Run by scripts/record-histories.ts. */
const asked = (process.env.HAPAX_RECORD_PATHS ?? '').split(' ').filter((name) => name !== '');
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The same trace each time. */
const TRACE: Tracing = {
  ...NO_TRACING,
  carrier: () => ({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }),
};
const DIRECTORY = fileURLToPath(new URL('../histories', import.meta.url));

it.for(asked.length > 0 ? asked : Object.keys(PATHS))('%s', async (name) => {
  const path = PATHS[name];
  if (!path) throw new Error(`no path ${name}; there are ${Object.keys(PATHS).join(', ')}`);
  const world = await openWorld(
    'server',
    { DEDUP_WINDOW: '1s', TASK_RETRY_DELAY: '10ms', ...SETTINGS[name] },
    HANDLERS,
    TRACED.has(name) ? TRACE : undefined,
  );
  try {
    const handle = world.client.workflow.getHandle(await path(world));
    // A task that failed or was revoked ends its workflow as such.
    await handle.result().catch(() => {});
    const text = JSON.stringify(historyToJson(await handle.fetchHistory()), withoutMachine, 1);
    await mkdir(DIRECTORY, { recursive: true });
    await writeFile(`${DIRECTORY}/${name}.json`, `${text}\n`);
  } finally {
    await world.close();
  }
});

/** Names of this machine and its directories, which replay does not look at. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  if (key === 'data' && typeof value === 'string') return withoutIdentities(value);
  // PID@HOST: identities of clients and workers, and the queues that workers keep for themselves.
  return typeof value === 'string' && /^\d+@/.test(value) ? 'recorder' : value;
}

/** A payload without the identities of workers, which say who did what in the events that an attempt records, and our directory. */
function withoutIdentities(data: string): string {
  const text = Buffer.from(data, 'base64').toString('utf8');
  const masked = text.replace(/\d+@[^"\s]+/g, 'recorder').replaceAll(ROOT, '/hapax/');
  return masked === text ? data : Buffer.from(masked, 'utf8').toString('base64');
}
