import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { installed } from './server-process.ts';

export const CHROMIUM = installed('chromium', 'chromium-browser', 'google-chrome');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A browser on this machine. It can be told to reach nothing else, so it is not asked. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM!,
    // Chromium runs as root in containers only without its sandbox.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
  });
}

/** Longest that a visitor waits for anything: machines that are busy take their time. */
const PATIENCE_MS = 120_000;

/** A person at a browser. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
}

/**
 * Somebody who is gone with the test, and met no fault: no request to elsewhere, no violation of the Content-Security-Policy, no
 * error of a script.
 * @param meets statuses that the test answers requests with.
 */
export async function visitConsole(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  meets: readonly number[] = [],
): Promise<Visitor> {
  // Chromium draws an animation with the processor, 60 times a second: axe took three times as long beside one.
  const still = { reducedMotion: 'reduce' } as const;
  const context = await browser.newContext({ baseURL: url, timezoneId: 'Europe/Berlin', ...still, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const faults: string[] = [];
  const { origin } = new URL(url);
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`asked elsewhere: ${request.url()}`);
  });
  context.on('weberror', (error) => faults.push(`script: ${error.error().message}`));
  context.on('console', (message) => {
    // Chromium reports violations of the policy this way, and what it could not load.
    const status = /Failed to load resource: the server responded with a status of (\d\d\d)/.exec(message.text())?.[1];
    const expected = status?.startsWith('4') || meets.includes(Number(status));
    if (['error', 'warning'].includes(message.type()) && !expected) faults.push(`console: ${message.text()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  return { context, page: await context.newPage() };
}

/** Axe finds nothing wrong with these pages. */
export async function expectAccessible(page: Page, paths: readonly string[]): Promise<void> {
  const found: string[] = [];
  for (const path of paths) {
    await page.goto(path);
    found.push(...(await accessibilityFaults(page)).map((fault) => `${path} ${fault}`));
  }
  expect(found).toEqual([]);
}

/** A small phone. */
export const PHONE = { viewport: { width: 360, height: 740 } };

/** These pages show something, and are no wider than the screen of a {@link PHONE}. */
export async function expectToFitPhone(page: Page, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await page.goto(path);
    const { width, text } = (await page.evaluate(
      '({ width: document.documentElement.scrollWidth, text: document.body.innerText })',
    )) as { width: number; text: string };
    expect([path, width]).toEqual([path, PHONE.viewport.width]);
    expect(text).not.toBe('');
  }
}

/** What axe finds wrong with a page, one line each. */
async function accessibilityFaults(page: Page): Promise<string[]> {
  // By the debugger's way in, which no Content-Security-Policy stops.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ exclude: [] } as never, {
      resultTypes: ['violations'],
    }),
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  );
}
