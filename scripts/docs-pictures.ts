/**
 * `npm run docs:pictures [NAME...]`: takes the pictures of the console in docs/pictures, in light and dark, of an installation of its
 * own with a simulated GitHub. It needs Chromium.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { CHROMIUM, openBrowser } from '../test/world/browser.ts';
import { type Shown, Story, tell } from './docs-story.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PICTURES = join(ROOT, 'docs/pictures');
/** So that a page of the docs loads fast, and the repository stays small. */
const MAX_BYTES = 150_000;
const SIZE = { width: 1280, height: 800 };

/** What is in a picture: its name, and the page of the console. */
const PAGES: Record<string, (shown: Shown) => string> = {
  overview: () => '',
  builds: () => '/builds',
  build: ({ failed }) => `/builds/${failed}`,
  trigger: () => '/trigger',
  tasks: () => '/tasks',
  task: ({ task }) => `/tasks/${task}`,
  'dead-letters': () => '/dead-letters',
  queues: () => '/queues',
  search: () => '/search?q=why+are+there+tides',
  configuration: ({ configuration }) => `/configurations/${configuration}`,
};

/** `hapax up` with ports and a directory of its own. */
async function startHapax(home: string): Promise<{ url: string; stop(): Promise<void> }> {
  const settings = {
    HAPAX_HOME: home,
    HAPAX_ENV_FILE: '',
    PORT: '0',
    TEMPORAL_PORT: '0',
    TEMPORAL_UI_PORT: '0',
    LOG_LEVEL: 'error',
    GITHUB_POLL_INTERVAL: '250ms',
    RECONCILE_WINDOW: '1s',
  };
  // No credential and no setting of whoever runs this.
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(GITHUB|HAPAX|TEMPORAL|DATABASE|API_KEYS)/.test(name),
  );
  const env = { ...Object.fromEntries(others), ...settings };
  const child = spawn(process.execPath, [join(ROOT, 'bin/hapax.js'), 'up'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    if (child.exitCode === null && child.kill('SIGINT')) await once(child, 'exit');
  };
  let url = '';
  for await (const line of createInterface({ input: child.stdout })) {
    url = /API +(http:\S+)/.exec(line)?.[1] ?? url;
    if (/: ready/.test(line)) return { url, stop };
  }
  throw new Error('hapax up ended before it was ready');
}

/** Saves what a window of SIZE shows of a page. */
async function take(context: BrowserContext, url: string, file: string): Promise<void> {
  const page = await context.newPage();
  const response = await page.goto(url, { waitUntil: 'load' });
  if (!response?.ok()) throw new Error(`${url}: ${response?.status()}`);
  // Charts are drawn, and times are shown in the zone of the browser, once scripts have run.
  await page.waitForFunction('document.fonts.status === "loaded" && document.readyState === "complete"');
  const session = await context.newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
  const picture = Buffer.from(data, 'base64');
  if (picture.length > MAX_BYTES) throw new Error(`${file} has ${picture.length} bytes, more than ${MAX_BYTES}`);
  await writeFile(file, picture);
  console.log(`${file.slice(ROOT.length)}: ${(picture.length / 1_000).toFixed(0)} KB`);
  await page.close();
}

if (CHROMIUM === undefined) throw new Error('Chromium is not installed (CONTRIBUTING.md, "Checks")');
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PAGES);
for (const name of wanted)
  if (!(name in PAGES)) throw new Error(`${name}: the pictures are ${Object.keys(PAGES).join(', ')}`);
const home = await mkdtemp(join(tmpdir(), 'hapax-pictures-'));
try {
  const hapax = await startHapax(home);
  const browser = await openBrowser();
  try {
    const shown = await tell(new Story(hapax.url));
    await mkdir(PICTURES, { recursive: true });
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({
        viewport: SIZE,
        deviceScaleFactor: 1.5,
        colorScheme,
        timezoneId: 'UTC',
      });
      for (const name of wanted) {
        const url = `${hapax.url}/console${PAGES[name]?.(shown) ?? ''}`;
        await take(context, url, join(PICTURES, `${name}-${colorScheme}.webp`));
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await hapax.stop();
  }
} finally {
  await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
