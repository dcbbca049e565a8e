import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults, CHROMIUM, openBrowser, openVisitor } from '../world/browser.ts';
import { describeWith } from '../world/required-programs.ts';
import { openWorld, type World } from '../world/world.ts';

/** Every page; a new one belongs here. */
const PAGES = ['/console', '/console/builds', '/console/builds?status=failure', '/console/nowhere'];

describeWith({ chromium: CHROMIUM !== undefined }, 'the console in Chromium', () => {
  let world: World;
  let browser: Awaited<ReturnType<typeof openBrowser>>;

  beforeAll(async () => {
    [world, browser] = await Promise.all([openWorld('server'), openBrowser()]);
    for (const ref of ['main', 'stable']) await world.ended((await world.trigger({ ref })).json.id);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it.each(['light', 'dark'] as const)('is accessible and loads nothing from elsewhere, %s', async (colorScheme) => {
    const visitor = await openVisitor(browser, world.url, { colorScheme });
    const found: string[] = [];
    for (const path of PAGES) {
      await visitor.page.goto(path);
      found.push(...(await accessibilityFaults(visitor.page)).map((fault) => `${path} ${fault}`));
    }
    expect(found).toEqual([]);
    expect(visitor.faults).toEqual([]);
    await visitor.close();
  });
});
