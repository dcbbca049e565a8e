import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { CHROMIUM, expectAccessible, expectToFitPhone, openBrowser, PHONE, visitConsole } from '../world/browser.ts';
import { eventually } from '../world/eventually.ts';
import { answers, openReceiver } from '../world/receiver.ts';
import { describeWith } from '../world/required-programs.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const OPS = { authorization: `Bearer ${SECRET}` };

/** Every page that people may open who administrate nothing; a new one belongs here. */
const PAGES = ['/console/subscriptions', '/console/record', '/console/schedules', '/console/task-types'];

describeWith({ chromium: CHROMIUM !== undefined }, 'keys, subscriptions and the record in the console', () => {
  let world: World;
  let browser: Browser;
  let receiver: Awaited<ReturnType<typeof openReceiver>>;
  /** May look, and nothing else. */
  let reader: string;

  beforeAll(async () => {
    receiver = await openReceiver();
    const given = { API_KEYS: `ops=${SECRET}`, CALLBACK_ALLOWED_HOSTS: '127.0.0.1', FLOWER_PORT: '0' };
    [world, browser] = await Promise.all([openWorld('server', given), openBrowser()]);
    const call = (method: string, path: string, body: object) => world.call(method, path, body, OPS);
    reader = (await call('POST', '/keys', { name: 'reader', rights: ['read'] })).json.key;
    const schedule = { cron: ['0 3 * * *'], build: { config: 'default', ref: 'main' } };
    expect((await call('PUT', '/schedules/nightly', schedule)).json?.detail).toBeUndefined();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
    await receiver?.close();
  });

  const visit = async (secret: string, options: BrowserContextOptions = {}, url = world.url) => {
    const { page, context } = await visitConsole(browser, url, options);
    await page.goto('/console/builds');
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    // On a phone, who has signed in stands in the menu, which is closed.
    await page.getByText('Signed in as').waitFor({ state: 'attached' });
    return { page, context };
  };
  const get = async (path: string, key = SECRET) =>
    world.call('GET', path, undefined, { authorization: `Bearer ${key}` });

  it('make a key, show it once, and revoke it', async () => {
    const { page } = await visit(SECRET);
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByLabel('Who uses it').fill('nightly');
    await page.getByLabel('Expires').selectOption('90');
    await page.getByRole('checkbox', { name: 'read' }).check();
    await page.getByRole('checkbox', { name: 'trigger' }).check();
    await page.getByText('Restrictions and limits').click();
    await page.getByLabel('Only these repositories').fill('acme/images, octo/*');
    await page.getByLabel('Requests a minute').fill('600');
    await page.getByRole('button', { name: 'Create' }).click();
    const text = (await page.locator('#new-key').textContent()) ?? '';
    expect(text).toMatch(/^hpx_\w{49}$/);
    expect((await get('/builds', text)).status).toBe(200);
    const { keys } = (await get('/keys')).json;
    expect(keys.find(({ name }: { name: string }) => name === 'nightly')).toMatchObject({
      ...{ rights: ['read', 'trigger'], repositories: ['acme/images', 'octo/*'], queues: null },
      ...{ requests_per_minute: 600, builds_in_flight: null, created_by: 'ops', expires_at: expect.any(String) },
    });
    await page.goto('/console/keys');
    const row = page.getByRole('row').filter({ hasText: 'nightly' });
    expect(await row.textContent()).toContain('acme/images, octo/*');
    expect(await page.getByText(text).count()).toBe(0);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('is revoked.').waitFor();
    expect((await get('/builds', text)).status).toBe(401);
  });

  /** Clicks a button, and again while the answer is on its way. */
  async function clickTwice(page: Page, name: string): Promise<void> {
    await page.evaluate(`document.addEventListener('submit', ({ submitter }) => {
      setTimeout(() => {
        submitter.click();
        console.log('clicked again');
      }, 100);
    }, { once: true })`);
    const clickedAgain = page.waitForEvent('console', (message) => message.text() === 'clicked again');
    await page.route(
      '**/console/*',
      async (route) => {
        const response = await route.fetch();
        await clickedAgain;
        // Nobody waits for it if the second click was sent as well.
        await route.fulfill({ response }).catch(() => undefined);
      },
      { times: 1 },
    );
    await page.getByRole('button', { name }).click();
  }

  /** Removes the subscription of this name, of which there is only one. */
  async function removeTheOne(subscription: string) {
    const { subscriptions } = (await get('/subscriptions')).json;
    const [made, ...more] = subscriptions.filter(({ name }: { name: string }) => name === subscription);
    expect(more).toEqual([]);
    await world.call('DELETE', `/subscriptions/${made.id}`, undefined, OPS);
  }

  it('make one key and one subscription of a double click', async () => {
    const { page } = await visit(SECRET);
    await page.goto('/console/keys');
    await page.getByLabel('Who uses it').fill('clicked-twice');
    await page.getByRole('checkbox', { name: 'read' }).check();
    await clickTwice(page, 'Create');
    await page.locator('#new-key').waitFor();
    await page.goto('/console/subscriptions');
    await page.getByLabel('URL of the receiver').fill(receiver.url);
    await page.getByLabel('Name').fill('clicked-twice');
    await clickTwice(page, 'Subscribe');
    await page.locator('#new-secret').waitFor();
    const { keys } = (await get('/keys')).json;
    expect(keys.filter(({ name }: { name: string }) => name === 'clicked-twice').length).toBe(1);
    await removeTheOne('clicked-twice');
  });

  it('make one subscription of a form that is sent twice without a script', async () => {
    const { page } = await visit(SECRET, { javaScriptEnabled: false });
    await page.goto('/console/subscriptions');
    const key = (await page.locator('[name="key"]').getAttribute('value')) ?? '';
    const form = { key, url: receiver.url, name: 'sent-twice' };
    const send = async () => {
      const answer = await page.request.post('/console/subscriptions', { form, headers: { origin: world.url } });
      return /whsec_[^<]+/.exec(await answer.text())?.[0];
    };
    const secrets = await Promise.all([send(), send()]);
    expect(secrets[0]).toMatch(/^whsec_/);
    expect(secrets[1]).toBe(secrets[0]);
    await removeTheOne('sent-twice');
  });

  it('say what is wrong with a key that was not made, and keep what was filled in', async () => {
    const { page } = await visit(SECRET, { javaScriptEnabled: false });
    await page.goto('/console/keys');
    await page.getByLabel('Who uses it').fill('no rights');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('No key was made.').waitFor();
    expect(await page.getByLabel('Who uses it').inputValue()).toBe('no rights');
  });

  it('subscribe a receiver, test it, and show that it fails and is told again', async () => {
    const { page } = await visit(SECRET);
    await page.goto('/console/subscriptions');
    await page.getByLabel('URL of the receiver').fill(receiver.url);
    await page.getByLabel('Name').fill('chat');
    await page.getByLabel('Tell of').selectOption('ends');
    await page.getByRole('button', { name: 'Subscribe' }).click();
    expect(await page.locator('#new-secret').textContent()).toMatch(/^whsec_/);
    await page.goto('/console/subscriptions');
    await page.getByRole('button', { name: 'Test' }).click();
    await page.getByText('The receiver answered with 204.').waitFor();
    expect(JSON.parse(receiver.received.at(-1)!.body).type).toBe('ping');
    expect(await page.getByText('hush-hush').count()).toBe(0);
    receiver.behave(answers(500));
    const { id } = (await world.call('POST', '/builds/trigger', { ref: 'told' }, OPS)).json;
    const row = page.getByRole('row').filter({ hasText: 'chat' });
    await row.getByText('Failing').waitFor();
    receiver.behave(answers(204));
    await row.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await row.getByText('Disabled', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Enable' }).click();
    await row.getByText('Active', { exact: true }).waitFor();
    await eventually(() =>
      expect(receiver.received.map(({ body }) => JSON.parse(body).data?.stream)).toContain(`build:${id}`),
    );
  });

  it('show where the artifacts of a build came from to who has signed in', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    await world.github.set({ artifacts: [{ name: 'image', digest }] });
    const { id } = (await world.call('POST', '/builds/trigger', { ref: 'left' }, OPS)).json;
    await eventually(async () => expect((await get(`/builds/${id}`)).json.status).toBe('success'));
    await world.client.schedule.getHandle('hapax-artifacts').trigger();
    await eventually(async () => expect((await get(`/builds/${id}`)).json.artifacts).toEqual(expect.anything()));
    for (const url of [world.url, world.flowerUrl]) {
      const { page } = await visit(SECRET, {}, url);
      await page.goto(`/console/builds/${id}`);
      const answered = page.waitForResponse(`**/builds/${id}/provenance`);
      await page.getByRole('link', { name: 'In-toto statement' }).click();
      expect(await (await answered).json()).toEqual((await get(`/builds/${id}/provenance`)).json);
    }
  });

  it('give commands that reach the API with a key, and no address where the API is not', async () => {
    const { page } = await visit(SECRET);
    await page.goto('/console/trigger');
    expect(await page.locator('#curl').textContent()).toContain(`${world.url}/builds/trigger`);
    expect(await page.locator('#curl').textContent()).toContain('Authorization: Bearer $HAPAX_API_KEY');
    const { page: beside } = await visit(SECRET, {}, world.flowerUrl);
    await beside.goto('/console/trigger');
    expect(await beside.locator('#command').textContent()).toContain('hapax trigger');
    expect(await beside.locator('#curl').count()).toBe(0);
    const { id } = (await world.call('POST', '/builds/trigger', { ref: 'proven' }, OPS)).json;
    await beside.goto(`/console/builds/${id}`);
    expect(await beside.locator('#proof-commands').textContent()).not.toContain(new URL(world.flowerUrl!).host);
  });

  it('show when a schedule fires next', async () => {
    const { page } = await visit(SECRET);
    await page.goto('/console/schedules');
    const times = page.getByRole('row').filter({ hasText: 'nightly' }).locator('time');
    await eventually(async () => {
      await page.reload();
      const shown = await times.evaluateAll((all) =>
        all.map((time) => (time as unknown as { dateTime: string }).dateTime),
      );
      expect(shown).toContainEqual(expect.stringMatching(/T03:00:00\.000Z$/));
    });
  });

  it('show what the last checkpoint signs for, with the command that checks it, and that it is late', async () => {
    const checkpoints = world.client.schedule.getHandle('hapax-checkpoint');
    await checkpoints.trigger();
    const { page } = await visit(SECRET);
    await page.goto('/console/record');
    await page.getByText('events are signed for.').waitFor();
    const [note, key] = await Promise.all([get('/audit/checkpoint'), get('/audit/key')]);
    expect(await page.locator('#check').textContent()).toContain(`--key '${key.text.trim()}'`);
    expect(note.text).toContain((await page.locator('#note').textContent())?.split('\n')[0]);
    await checkpoints.pause();
    await world.call('POST', '/keys', { name: 'later', rights: ['read'] }, OPS);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await (await page.request.get('/console/record')).text()).toContain('Checkpoints are late.');
    vi.useRealTimers();
    await checkpoints.unpause();
  });

  it('show keys to nobody else, and no button to a key that may only look', async () => {
    const { page } = await visit(reader);
    expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
    expect((await page.goto('/console/keys'))?.status()).toBe(403);
    for (const path of PAGES) {
      await page.goto(path);
      const buttons = page.getByRole('main').locator('form[method="post"], [formaction]');
      expect([path, await buttons.count()]).toEqual([path, 0]);
    }
  });

  const pages = () => [...PAGES, '/console/keys'];

  it.each(['light', 'dark'] as const)('are accessible and load nothing from elsewhere, %s', async (colorScheme) => {
    const { page } = await visit(SECRET, { colorScheme });
    await expectAccessible(page, pages());
  });

  it('fit a phone, and need no script', async () => {
    const { page } = await visit(SECRET, PHONE);
    await expectToFitPhone(page, pages());
    const { page: plain } = await visit(SECRET, { javaScriptEnabled: false });
    for (const path of pages()) expect([path, (await plain.goto(path))?.status()]).toEqual([path, 200]);
  });
});
