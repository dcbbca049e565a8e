import { setTimeout as delay } from 'node:timers/promises';
import type { CDPSession } from 'playwright-core';
import { BUILDS } from '../src/store/builds/build-stream.ts';
import { type Db, openDatabase } from '../src/store/database.ts';
import { appendEvent } from '../src/store/record/event-append.ts';
import { CHROMIUM, openBrowser } from '../test/world/browser.ts';
import { queuedBuild } from '../test/world/queued-build.ts';
import { cpuMsOf } from './cpu.ts';

/** Events of an hour, as the console must bear them. */
const EVENTS_PER_HOUR = 10_000;
/** The shortest time for which the API is watched without a page. */
const IDLE_MS = 20_000;

/** What a page costs that is open while events pass by at the rate of 10,000 an hour. Undefined where there is no Chromium. */
export interface OpenPage {
  refreshes: number;
  /** Of one core, what the API used beyond what it uses without the page. */
  serverPercent: number;
  /** Growth of the page's heap after garbage collection, and of its number of nodes. */
  heapMegabytes: number;
  nodes: number;
}

/**
 * Measures the list of builds, open in a browser for so long. @param pid of the API. @param firstId of the builds that are appended.
 */
export async function measureOpenPage(
  api: { url: string; pid: number },
  databaseUrl: string,
  firstId: number,
  openMs: number,
): Promise<OpenPage | undefined> {
  if (CHROMIUM === undefined) return undefined;
  const database = openDatabase({ url: databaseUrl });
  const browser = await openBrowser();
  try {
    const idle = await shareOf(api.pid, () => passBy(database.db, firstId, Math.max(IDLE_MS, openMs / 12)));
    const page = await browser.newPage();
    await page.goto(`${api.url}/console/builds`);
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    let refreshes = 0;
    page.on('request', (request) => {
      if (request.headers()['hx-request'] && !request.url().includes('/changes')) refreshes += 1;
    });
    await passBy(database.db, firstId + 100_000, 5_000); // warms up
    const before = await sizeOf(session);
    refreshes = 0;
    const open = await shareOf(api.pid, () => passBy(database.db, firstId + 200_000, openMs));
    const after = await sizeOf(session);
    return {
      refreshes,
      serverPercent: (open - idle) * 100,
      heapMegabytes: (after.heap - before.heap) / 1e6,
      nodes: after.nodes - before.nodes,
    };
  } finally {
    await browser.close();
    await database.close();
  }
}

/** Appends events for so long, evenly. */
async function passBy(db: Db, firstId: number, ms: number): Promise<void> {
  const count = Math.round((EVENTS_PER_HOUR * ms) / 3_600_000);
  const startedAt = performance.now();
  for (let n = 0; n < count; n++) {
    await appendEvent(db, BUILDS, firstId + n, {
      ...queuedBuild(firstId + n),
      occurred_at: new Date().toISOString(),
    });
    const due = startedAt + ((n + 1) * ms) / count - performance.now();
    if (due > 0) await delay(due);
  }
}

/** Which share of one core a process used while something went on. */
async function shareOf(pid: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  const before = cpuMsOf(pid);
  await work();
  return (cpuMsOf(pid) - before) / (performance.now() - startedAt);
}

async function sizeOf(session: CDPSession): Promise<{ heap: number; nodes: number }> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') };
}
