import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BUILDS } from '../../src/store/builds/build-stream.ts';
import { saveDeadMessage } from '../../src/store/celery/dead-message-save.ts';
import type { Db } from '../../src/store/database.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { CHROMIUM, expectAccessible, expectToFitPhone, openBrowser, PHONE, visitConsole } from '../world/browser.ts';
import { eventually } from '../world/eventually.ts';
import { queuedBuild } from '../world/queued-build.ts';
import { describeWith } from '../world/required-programs.ts';
import { steadyPort } from '../world/steady-port.ts';
import { openWorld, type World } from '../world/world.ts';

describeWith({ chromium: CHROMIUM !== undefined }, 'the console in Chromium', () => {
  let world: World;
  let browser: Browser;
  /** Builds that are in each state that a page shows differently. */
  let builds: Record<'success' | 'failure' | 'running' | 'doubtful', number>;

  beforeAll(async () => {
    [world, browser] = await Promise.all([openWorld('server'), openBrowser()]);
    const trigger = async (ref: string, simulate = 'success'): Promise<number> =>
      (await world.trigger({ ref, inputs: { simulate } })).json.id;
    const [success, failure, running] = await Promise.all([
      trigger('main'),
      trigger('stable', 'failure'),
      trigger('slow', 'stuck'),
    ]);
    await world.ended(success);
    await world.ended(failure);
    await world.github.set({ echoes_correlation: false });
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
    const doubtful = await trigger('doubtful');
    await eventually(async () => expect((await world.build(doubtful)).needs_attention).toBe(true));
    await world.github.set({ echoes_correlation: true });
    builds = { success, failure, running, doubtful };
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  const visit = (options: BrowserContextOptions = {}, url = world.url) => visitConsole(browser, url, options);

  /** Every page; a new one belongs here. */
  const pages = () => [
    '/console',
    '/console/builds',
    '/console/builds?status=failure&ref=nowhere',
    `/console/builds?at=${new Date().toISOString()}`,
    ...Object.values(builds).map((id) => `/console/builds/${id}`),
    `/console/builds/${builds.success}?at=${new Date().toISOString()}`,
    '/console/many-builds/retry?ref=stable',
    '/console/trigger',
    '/console/schedules',
    '/console/nowhere',
  ];

  it.each(['light', 'dark'] as const)('is accessible and loads nothing from elsewhere, %s', async (colorScheme) => {
    const { page } = await visit({ colorScheme });
    await expectAccessible(page, pages());
  });

  it('fits a phone: no page is wider than it', async () => {
    const { page } = await visit(PHONE);
    await expectToFitPhone(page, pages());
  });

  it('shows a build that was triggered from a page to its end, without loading a page again', async () => {
    const { page } = await visit();
    await page.goto('/console/trigger');
    await page.getByLabel('Branch or tag').fill('from-the-console');
    await page.getByLabel('image_type').fill('silverblue');
    // The preview follows what is typed, and says how a program would ask for the same.
    await page
      .getByText('hapax trigger --watch --config default --ref from-the-console --image-type silverblue')
      .waitFor();
    await page.getByRole('button', { name: 'Trigger' }).click();
    await page.waitForURL(/\/console\/builds\/\d+$/);
    const id = Number(page.url().split('/').at(-1));
    await mark(page);
    await page.getByRole('main').getByText('Ended: success').waitFor();
    expect(await title(page)).toContain('Success');
    expect(await isMarked(page)).toBe(true);
    expect(await world.build(id)).toMatchObject({
      ref: 'from-the-console',
      image_type: 'silverblue',
      status: 'success',
    });
  });

  it('sends a default input of several lines as it is', async () => {
    const packages = '\nvim\ngit';
    const content = { repository: 'acme/images', workflow: 'build.yml', inputs: { packages } };
    const { id: config } = (await world.call('PUT', '/configs/by-name/several-lines', content)).json;
    const { page } = await visit();
    await page.goto(`/console/trigger?config=${config}`);
    await page.getByRole('button', { name: 'Trigger' }).click();
    await page.waitForURL(/\/console\/builds\/\d+$/);
    const build = await world.build(Number(page.url().split('/').at(-1)));
    expect(build.inputs).toMatchObject({ packages });
  });

  it('has every build in the list, live, and goes through it by keys', async () => {
    const { page } = await visit();
    await page.goto('/console/builds');
    await mark(page);
    const { id } = (await world.trigger({ ref: 'comes-later' })).json;
    await page.getByRole('row').filter({ hasText: 'comes-later' }).getByText('Success').waitFor();
    expect(await isMarked(page)).toBe(true);
    await page.keyboard.press('j');
    await expectFocus(page, String(id));
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${world.url}/console/builds/${id}`);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
  });

  it('shows what waits for a decision before the dead letters that are newer', async () => {
    for (let n = 0; n < 9; n++) {
      const refused = { queue: 'content', reason: 'invalid_json', detail: 'the body is not JSON', task: null };
      const id = `0b0e6b1e-0000-4000-8000-00000000000${n}`;
      await saveDeadMessage(world.db, { ...refused, id, task_id: null, publication: '{}', body: 'W25vdCBqc29u' });
    }
    const { page } = await visit();
    await page.goto('/console');
    const rows = page.getByRole('region', { name: 'Needs you first' }).locator('tbody tr');
    expect(await rows.count()).toBe(8);
    expect(await rows.first().textContent()).toContain(`Build ${builds.doubtful}`);
  });

  it('settles a doubt with one of the runs that it names', async () => {
    const { page } = await visit();
    await page.goto(`/console/builds/${builds.doubtful}`);
    await page.getByRole('button', { name: 'It is this one' }).first().click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('is told to follow run').waitFor();
    await page.getByText('Ended: success').waitFor();
  });

  it('compares what another program started with what was triggered', async () => {
    const content = { repository: 'acme/images', workflow: 'build.yml', dispatch: 'shadow', default_ref: 'moving' };
    await world.call('PUT', '/configs/by-name/moving', content);
    const { id } = (await world.trigger({ config: 'moving' })).json;
    const run = { repository: 'acme/images', workflow: 'build.yml', ref: 'moving', display_title: 'Build moving' };
    await world.github.control('POST', '/runs', { ...run, event: 'workflow_dispatch', inputs: {} });
    const { workflow_run_id } = await world.ended(id);
    const { page } = await visit();
    await page.goto('/console/configurations');
    await page.getByRole('link', { name: 'moving' }).click();
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: 'Compared', exact: true }).waitFor();
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: String(id), exact: true }) });
    expect(await row.textContent()).toMatch(new RegExp(`matched.*${workflow_run_id}`));
  });

  it('tells why a build failed, and runs it again with one key', async () => {
    const { page } = await visit();
    await page.goto('/console/builds?ref=stable');
    await page.getByRole('row').filter({ hasText: 'stable' }).getByText('build: Build').waitFor();
    await page.goto(`/console/builds/${builds.failure}`);
    await page.getByRole('heading', { name: '1 job failed' }).waitFor();
    await page.keyboard.press('r');
    await page.getByText(`Build ${builds.failure} is queued again.`).waitFor();
    await page.getByText('Retry 1 (rerun) by local').waitFor();
  });

  it('does everything without JavaScript, and asks first there too', async () => {
    const { page } = await visit({ javaScriptEnabled: false });
    for (const path of pages()) await page.goto(path);
    await page.goto('/console/trigger');
    await page.getByLabel('Branch or tag').fill('without-a-script');
    await page.getByText('More', { exact: true }).click();
    await page.getByLabel('More inputs').fill('simulate=stuck');
    await page.getByRole('button', { name: 'Trigger' }).click();
    await page.waitForURL(/\/builds\/\d+$/);
    const id = Number(page.url().split('/').at(-1));
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await world.build(id)).events.map(({ event_type }) => event_type)).not.toContain('cancel_requested');
    await page.getByRole('button', { name: 'Yes, cancel it' }).click();
    await page.getByText('Cancel requested.').waitFor();
    expect(await world.ended(id)).toMatchObject({ status: 'cancelled' });
  });

  it('cancels those that are selected or that match, which it has shown, and none that came later', async () => {
    const { page } = await visit();
    const trigger = async (n: number): Promise<number> =>
      (await world.trigger({ ref: 'many', inputs: { n: String(n), simulate: 'stuck' } })).json.id;
    const [first, ...others] = [await trigger(1), await trigger(2), await trigger(3)];
    await page.goto('/console/builds?ref=many');
    await page.getByLabel(`Select ${first}`).check();
    await page.getByText('1 selected').waitFor();
    await page.getByRole('button', { name: 'Cancel selected' }).click();
    await page.getByRole('button', { name: 'Cancel 1 build' }).click();
    await page.getByText('1 build told to stop.').waitFor();
    expect(await world.ended(first!)).toMatchObject({ status: 'cancelled' });
    // The list is still the filtered one.
    await page.getByRole('link', { name: 'Cancel all that match' }).click();
    await page.getByText('Cancel 2 builds?').waitFor();
    const late = await trigger(4);
    await page.getByRole('button', { name: 'Cancel 2 builds' }).click();
    await page.getByText('2 builds told to stop.').waitFor();
    for (const id of others) expect(await world.ended(id)).toMatchObject({ status: 'cancelled' });
    expect((await world.build(late)).events.map(({ event_type }) => event_type)).not.toContain('cancel_requested');
    expect(await world.build(builds.running)).toMatchObject({ status: 'in_progress' });
  });

  it('asks before it dispatches again where a run may exist, and before it adopts one', async () => {
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422' });
    const { id } = (await world.trigger({ ref: 'rejected' })).json;
    expect(await world.ended(id)).toMatchObject({ status: 'failure', workflow_run_id: null });
    const { page } = await visit({ javaScriptEnabled: false });
    await page.goto('/console/many-dead-letters/redrive?kind=build');
    await page.getByText(/build.? among them: you say that no run exists/).waitFor();
    await page.goto(`/console/builds/${id}`);
    await page.getByRole('button', { name: 'Make a new run' }).click();
    await page.getByText(`Dispatch build ${id} again? This says that no run exists.`).waitFor();
    expect(await world.build(id)).toMatchObject({ retries: 0 });
    await page.getByRole('button', { name: 'Yes, dispatch it again' }).click();
    await page.getByText(`Build ${id} is queued again.`).waitFor();
    const adoption = await fetch(`${world.url}/console/builds/${id}/adopt`, {
      method: 'POST',
      headers: { origin: world.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'run_id=7',
    });
    expect([adoption.status, await adoption.text()]).toEqual([200, expect.stringContaining('This cannot be undone.')]);
  });

  it('goes back in time with the slider, where nothing can be changed', async () => {
    const { page } = await visit();
    await page.goto('/console/builds');
    await page.getByLabel('As of').fill('0');
    await page.getByLabel('As of').dispatchEvent('change');
    await page.waitForURL(/[?]at=/);
    expect(await page.getByRole('row').count()).toBeLessThanOrEqual(2);
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Back to now' }).click();
    await page.getByRole('row').filter({ hasText: 'doubtful' }).waitFor();
  });

  it('lets in who has a key, for the console alone, and out again', async () => {
    const secret = 'a-secret-of-the-console';
    const locked = await startAnotherApi(world, { settings: { API_KEYS: `ops=${secret}` } });
    const { page, context } = await visit({}, locked.url);
    await page.goto(`/console/builds/${builds.success}`);
    await page.getByLabel('API key').fill('not-one-of-the-keys');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is not one of the keys.').waitFor();
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${locked.url}/console/builds/${builds.success}`);
    await page.getByText('Signed in as').waitFor();
    const [cookie] = (await context.cookies()).filter(({ name }) => name === 'hapax_console');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/console' });
    expect(cookie?.value).not.toContain(secret);
    // The API takes no cookie, so a page of another site has nothing to use.
    const headers = { cookie: `hapax_console=${cookie?.value}` };
    expect((await locked.call('GET', '/builds', undefined, headers)).status).toBe(401);
    expect((await locked.call('GET', '/console/builds', undefined, headers)).status).toBe(200);
    const forged = { cookie: `hapax_console=${cookie?.value.slice(0, -2)}AA` };
    expect((await locked.call('GET', '/console/builds', undefined, forged)).status).toBe(401);
    // A page that is open when the sign-in ends asks for another.
    await page.goto('/console/builds');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    await context.clearCookies({ name: 'hapax_console' });
    await world.trigger({ ref: 'after-the-sign-in' });
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('row').filter({ hasText: 'after-the-sign-in' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto('/console/builds');
    await page.getByLabel('API key').waitFor();
  });

  it('shows no button where it is read-only, and refuses what is sent all the same', async () => {
    const settings = {
      CONSOLE_READ_ONLY: 'true',
      FLOWER_PORT: String(await steadyPort()),
      FLOWER_URL_PREFIX: 'flower',
    };
    const api = await startAnotherApi(world, { settings });
    const { page } = await visit({}, api.url);
    for (const path of ['/console/builds', `/console/builds/${builds.running}`, '/console/trigger']) {
      await page.goto(path);
      expect(await page.getByRole('main').locator('form[method="post"], [formaction]').count()).toBe(0);
    }
    const own = { origin: api.url, 'content-type': 'application/x-www-form-urlencoded' };
    const post = (path: string, headers: Record<string, string>, url = api.url) =>
      fetch(url + path, { method: 'POST', headers, body: 'sure=yes' });
    const cancel = `/console/builds/${builds.running}/cancel`;
    expect((await post(cancel, own)).status).toBe(403);
    expect((await post('/console/trigger', own)).status).toBe(403);
    expect((await fetch(`${api.flowerUrl}/flower/`, { redirect: 'manual' })).headers.get('location')).toBe(
      '/flower/console',
    );
    expect((await post(`/flower${cancel}`, { ...own, origin: api.flowerUrl! }, api.flowerUrl)).status).toBe(403);
    expect(await world.build(builds.running)).toMatchObject({ status: 'in_progress' });
  });

  it('refuses what no page of its own sent', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const headers of [
      {},
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: world.url, 'sec-fetch-site': 'cross-site' },
      { origin: world.url, 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await fetch(`${world.url}/console/builds/${builds.running}/cancel`, {
        method: 'POST',
        headers: { ...form, ...(headers as Record<string, string>) },
        body: 'sure=yes',
      });
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(await answer.text()).toContain('Requests from other web sites are refused');
    }
    expect(await world.build(builds.running)).toMatchObject({ status: 'in_progress' });
  });

  it('stays as large as it is while thousands of events pass by', async () => {
    const { page } = await visit();
    await page.goto('/console/builds?ref=passes-by');
    let refreshes = 0;
    page.on('request', (request) => {
      if (request.headers()['hx-request'] && request.url().includes('/console/builds')) refreshes += 1;
    });
    const size = () => page.evaluate('document.querySelectorAll("*").length') as Promise<number>;
    const before = await size();
    const startedAt = performance.now();
    for (let n = 0; n < 1_000; n++) await appendQueued(world.db, 1_000_000 + n, `elsewhere-${n}`);
    await appendQueued(world.db, 2_000_000, 'passes-by');
    await page.getByRole('row').filter({ hasText: 'passes-by' }).waitFor();
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(refreshes).toBeLessThanOrEqual(seconds + 2);
    // One row more than before, and nothing else.
    expect((await size()) - before).toBeLessThan(60);
  });

  it('asks for little: a first page is at most 60 KB, and the next one asks for no file again', async () => {
    const { page, context } = await visit();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    for (const path of ['/console', '/console/builds']) {
      bytes = 0;
      await page.goto(path, { waitUntil: 'load' });
      expect(bytes).toBeGreaterThan(1_000);
      expect([path, bytes <= (path === '/console' ? 60_000 : 20_000)]).toEqual([path, true]);
    }
  });
});

const title = (page: Page) => page.locator('header.title').textContent();
/** Leaves a mark that a new page would not have. */
const mark = (page: Page) => page.evaluate('globalThis.marked = true');
const isMarked = (page: Page) => page.evaluate('globalThis.marked === true');

async function expectFocus(page: Page, text: string): Promise<void> {
  await eventually(async () => expect(await page.evaluate('document.activeElement.textContent')).toBe(text), 10_000);
}

/** A build that is queued and that nobody leads. */
function appendQueued(db: Db, id: number, ref: string) {
  const request = { repository: 'acme/images', workflow: 'build.yml', ref, inputs: {} };
  return appendEvent(db, BUILDS, id, { ...queuedBuild(id, { request }), occurred_at: new Date().toISOString() });
}
