import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { CHROMIUM, openBrowser, visitConsole } from '../world/browser.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { describeWith } from '../world/required-programs.ts';
import { openWorld, type World } from '../world/world.ts';

describeWith({ chromium: CHROMIUM !== undefined }, 'a live page of the console in Chromium', () => {
  let world: World;
  let browser: Browser;

  beforeAll(async () => {
    [world, browser] = await Promise.all([openWorld('server'), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  const visit = () => visitConsole(browser, world.url);

  it('asks again for a stream and for a refresh that it did not get', async () => {
    const { page } = await visit();
    for (const path of ['**/changes?*', '**/console/builds']) {
      let refused = 0;
      await page.route(path, (route) => {
        if (route.request().isNavigationRequest() || refused++ > 0) return route.fallback();
        return route.fulfill({ status: 429, body: 'later' });
      });
      await page.goto('/console/builds');
      const { id } = (await world.trigger({ ref: `told-late-${refused}${path.length}` })).json;
      await page.locator(`a[href="builds/${id}"]`).first().waitFor();
      expect(refused).toBeGreaterThan(1);
      await page.unroute(path);
    }
  });

  it('says that it reconnects for as long as its refreshes fail', async () => {
    const { page } = await visitConsole(browser, world.url, {}, [503]);
    let refused = 0;
    await page.route('**/console/builds', (route) => {
      if (route.request().isNavigationRequest()) return route.fallback();
      refused++;
      return route.fulfill({ status: 503, body: 'away' });
    });
    await page.goto('/console/builds');
    const said = await hearLive(page);
    const { id } = (await world.trigger({ ref: 'while-away' })).json;
    await eventually(() => expect(refused).toBeGreaterThan(2));
    expect(await said()).toEqual(['Live', 'Reconnecting']);
    await page.unroute('**/console/builds');
    await page.locator(`a[href="builds/${id}"]`).first().waitFor();
    await eventually(async () => expect(await said()).toEqual(['Live', 'Reconnecting', 'Live']));
  });

  it('loads the page again that is refused for good, but not again and again', async () => {
    const { page } = await visit();
    let loaded = 0;
    let refused = 0;
    await page.route('**/console/builds', (route) => {
      if (route.request().isNavigationRequest()) {
        loaded++;
        return route.fallback();
      }
      refused++;
      return route.fulfill({ status: 404, body: 'gone' });
    });
    await page.goto('/console/builds');
    const first = (await world.trigger({ ref: 'while-gone' })).json.id;
    await page.locator(`a[href="builds/${first}"]`).first().waitFor();
    expect(loaded).toBe(2);
    const second = (await world.trigger({ ref: 'still-gone' })).json.id;
    await page.getByText('Reconnecting').waitFor();
    await eventually(() => expect(refused).toBeGreaterThan(3));
    expect(loaded).toBe(2);
    await page.unroute('**/console/builds');
    await page.locator(`a[href="builds/${second}"]`).first().waitFor();
  });

  it('notices that nothing comes over its stream any more, and opens another', async () => {
    const way = await startFreezingProxy(Number(new URL(world.url).port));
    onTestFinished(() => way.close());
    const { page } = await visitConsole(browser, `http://127.0.0.1:${way.port}`);
    await page.clock.install();
    const opened = page.waitForResponse('**/changes?*');
    await page.goto('/console/builds');
    await opened;
    const said = await hearLive(page);
    // A stream without changes is not a silent one.
    await page.clock.fastForward(20_000);
    await page.evaluate(`new Promise((resolve) => {
      document.addEventListener('alive', () => resolve(true), { once: true });
    })`);
    await page.clock.fastForward(30_000);
    expect(await said()).toEqual(['Live']);
    way.freeze();
    await page.clock.fastForward(60_000);
    await page.getByText('Reconnecting').waitFor();
    way.thaw();
    const { id } = (await world.trigger({ ref: 'while-frozen' })).json;
    // The request for another stream was lost as well, and is given up.
    await page.clock.fastForward(60_000);
    await page.locator(`a[href="builds/${id}"]`).first().waitFor();
    await page.getByRole('button', { name: 'Live' }).waitFor();
  });

  it('does what its question said, also if a refresh was on its way when it was asked', async () => {
    const { id } = (await world.trigger({ ref: 'asked-about', inputs: { simulate: 'stuck' } })).json;
    const { workflow_run_id } = await eventually(async () => {
      const build = await world.build(id);
      expect(build.workflow_run_id).toEqual(expect.anything());
      return build;
    });
    const { page } = await visit();
    let land = () => {};
    const mayLand = new Promise<void>((resolve) => (land = resolve));
    await page.route(`**/console/builds/${id}`, async (route) => {
      if (!route.request().isNavigationRequest()) await mayLand;
      await route.fallback();
    });
    await page.goto(`/console/builds/${id}`);
    const isOnItsWay = page.waitForRequest(`**/console/builds/${id}`);
    const ended = { status: 'completed', conclusion: 'failure' };
    await world.github.control('POST', `/runs/${workflow_run_id}`, ended);
    await isOnItsWay;
    await page.keyboard.press('c');
    await page.getByText(`Cancel build ${id}?`).waitFor();
    // With what lands now, the first button of the page becomes the one that retries.
    await world.ended(id);
    await page.evaluate(`document.addEventListener('htmx:finally:swap', () => (globalThis.landed = true))`);
    land();
    await eventually(async () => expect(await page.evaluate('globalThis.landed')).toBe(true));
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    expect(new URL((await sent).url()).pathname).toBe(`/console/builds/${id}/cancel`);
  });

  it('holds still while it is paused, says that there is news, and catches up', async () => {
    const { page } = await visit();
    await page.goto('/console/builds');
    const live = page.getByRole('button', { name: 'Live' });
    await live.click();
    await world.trigger({ ref: 'while-paused' });
    await page.getByText('Paused, has news').waitFor();
    expect(await page.getByText('while-paused').count()).toBe(0);
    await page.getByText('Paused, has news').click();
    await page.getByRole('row').filter({ hasText: 'while-paused' }).waitFor();
  });
});

/** Returns what the live button has said since, each word once until it changes. */
async function hearLive(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`
    const words = document.querySelector('[data-live] span');
    globalThis.said = [words.textContent];
    new MutationObserver(() => {
      if (said.at(-1) !== words.textContent) said.push(words.textContent);
    }).observe(words, { childList: true });`);
  return () => page.evaluate('said') as Promise<string[]>;
}
