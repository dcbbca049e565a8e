import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startAnotherApi } from '../world/another-api.ts';
import { CHROMIUM, expectAccessible, openBrowser } from '../world/browser.ts';
import { eventually } from '../world/eventually.ts';
import { CLIENT_ID, CLIENT_SECRET, startOpenIdProvider } from '../world/openid-provider.ts';
import { describeWith } from '../world/required-programs.ts';
import { steadyPort } from '../world/steady-port.ts';
import { openWorld, type World } from '../world/world.ts';

const SECRET = 'a-secret-of-the-environment';
const ACCOUNTS = {
  'id-ada': {
    preferred_username: 'ada',
    groups: ['staff', 'operators'],
    email: 'ada@acme.example',
    email_verified: true,
  },
  'id-bob': { preferred_username: 'bob', groups: ['staff'], email: 'bob@acme.example', email_verified: true },
  'id-eve': { preferred_username: 'eve', email: 'eve@rival.example', email_verified: true },
  // Entered somebody else's address, which nobody has verified.
  'id-mal': { preferred_username: 'mal', email: 'root@acme.example', email_verified: false },
};
const RULES = [
  { claims: { groups: 'operators' }, rights: ['read', 'trigger', 'operate'] },
  { claims: { email: 'root@acme.example' }, rights: ['admin'] },
  { claims: { groups: ['staff', 'guests'] }, rights: ['read'] },
];

describeWith({ chromium: CHROMIUM !== undefined }, 'people who sign in with an OpenID provider', () => {
  let world: World;
  let browser: Browser;
  let provider: Awaited<ReturnType<typeof startOpenIdProvider>>;
  let api: Awaited<ReturnType<typeof openApi>>;
  let build: number;

  /** The API with people beside keys. */
  async function openApi(rules: object[], port = 0) {
    const settings = {
      API_KEYS: `ops=${SECRET}`,
      PORT: String(port),
      SIGN_IN_ISSUER: provider.url,
      SIGN_IN_CLIENT_ID: CLIENT_ID,
      SIGN_IN_CLIENT_SECRET: CLIENT_SECRET,
      SIGN_IN_RULES: JSON.stringify(rules),
      PUBLIC_URL: publicUrl,
    };
    return startAnotherApi(world, { settings });
  }
  let publicUrl: string;
  let port: number;

  beforeAll(async () => {
    port = await steadyPort();
    publicUrl = `http://127.0.0.1:${port}`;
    [world, browser, provider] = await Promise.all([
      openWorld('server'),
      openBrowser(),
      startOpenIdProvider(publicUrl, ACCOUNTS),
    ]);
    build = (await world.trigger({ ref: 'main', inputs: { simulate: 'stuck' } })).json.id;
  });
  afterAll(async () => {
    await browser?.close();
    await provider?.stop();
    await world?.close();
  });

  /** A browser of somebody's own, for as long as the test runs. */
  async function visit() {
    api = await openApi(RULES, port);
    const context = await browser.newContext({ baseURL: publicUrl });
    onTestFinished(() => context.close());
    return { context, page: await context.newPage() };
  }
  async function signInAs(page: Page, account: string, path = '/console'): Promise<void> {
    await page.goto(path);
    await page.getByRole('link', { name: 'Sign in with your account' }).click();
    await page.getByLabel('Name').fill(account);
    await page.getByRole('button', { name: 'Go on' }).click();
  }
  const cookieOf = async (page: Page) => (await page.context().cookies()).find(({ name }) => name === 'hapax_console');

  it('come back to the page that they asked for, with the rights of the first rule that matches, by name', async () => {
    const { page } = await visit();
    await signInAs(page, 'id-ada', `/console/builds/${build}`);
    await page.waitForURL(`${publicUrl}/console/builds/${build}`);
    await page.getByText('Signed in as ada').waitFor();
    expect(await cookieOf(page)).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/console', secure: false });
    expect((await page.context().cookies()).map(({ name }) => name)).not.toContainEqual(
      expect.stringMatching(/^hapax_sign_in_/),
    );
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('Cancel requested.').waitFor();
    await eventually(async () => {
      const { events } = await world.build(build);
      const by = `oidc:id-ada@${new URL(provider.url).host}`;
      expect(events).toContainEqual(expect.objectContaining({ event_data: expect.objectContaining({ by }) }));
    });
  });

  it('see no button that their rights do not allow, and get 403 for what it would send', async () => {
    const { page } = await visit();
    await signInAs(page, 'id-bob', '/console/builds');
    await page.getByText('Signed in as bob').waitFor();
    for (const path of [
      '/console',
      '/console/builds',
      `/console/builds/${build}`,
      '/console/trigger',
      '/console/tasks',
    ]) {
      await page.goto(path);
      expect([path, await page.getByRole('main').locator('form[method="post"], [formaction]').count()]).toEqual([
        path,
        0,
      ]);
    }
    const cookie = `hapax_console=${(await cookieOf(page))?.value}`;
    const post = (path: string) =>
      api.call('POST', path, 'sure=yes', {
        cookie,
        origin: publicUrl,
        'content-type': 'application/x-www-form-urlencoded',
      });
    for (const path of [`/console/builds/${build}/cancel`, '/console/trigger', '/console/many-tasks/retry']) {
      expect([path, (await post(path)).status]).toEqual([path, 403]);
    }
    // The API takes no cookie.
    expect((await api.call('GET', '/builds', undefined, { cookie })).status).toBe(401);
  });

  it.each([
    ['id-eve', 'You have no access.'],
    ['id-mal', 'You have no access.'],
    ['', 'access_denied'],
  ])('are told so where nobody lets them in: %s', async (account, said) => {
    const { page } = await visit();
    await signInAs(page, account);
    await page.getByRole('alert').filter({ hasText: said }).waitFor();
    expect(await cookieOf(page)).toBeUndefined();
  });

  it('sign in from two tabs, and out of all of them', async () => {
    const { context, page } = await visit();
    const other = await context.newPage();
    await page.goto('/console/tasks');
    await page.getByRole('link', { name: 'Sign in with your account' }).click();
    await page.getByLabel('Name').waitFor();
    await signInAs(other, 'id-bob', '/console/queues');
    await other.waitForURL(`${publicUrl}/console/queues`);
    await page.getByLabel('Name').fill('id-bob');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.waitForURL(`${publicUrl}/console/tasks`);
    const cookie = `hapax_console=${(await cookieOf(page))?.value}`;
    expect((await api.call('GET', '/console/tasks', undefined, { cookie })).status).toBe(200);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Use another account' }).waitFor();
    expect((await api.call('GET', '/console/tasks', undefined, { cookie })).status).toBe(401);
    await other.reload();
    await other.getByRole('link', { name: 'Sign in with your account' }).waitFor();
  });

  it('are out when their time is over, and when a rule no longer lets them in', async () => {
    const { page } = await visit();
    await signInAs(page, 'id-bob');
    await page.getByText('Signed in as bob').waitFor();
    const cookie = `hapax_console=${(await cookieOf(page))?.value}`;
    const status = async (of: typeof api) => (await of.call('GET', '/console/tasks', undefined, { cookie })).status;
    expect(await status(await openApi(RULES.slice(0, 2)))).toBe(401);
    expect(await status(await openApi(RULES))).toBe(200);
    await world.db`UPDATE console_sessions SET expires_at = now() - interval '1 second'`;
    expect(await status(api)).toBe(401);
  });

  it('are told that the provider is away, and a key lets in all the same', async () => {
    const { page } = await visit();
    await provider.stop();
    onTestFinished(() => provider.start());
    await page.goto('/console/sign-in/start');
    await page.getByText('does not answer as it should').waitFor();
    await page.goto('/console/builds');
    await page.getByText('Sign in with a key').first().click();
    await page.getByLabel('API key').fill(SECRET);
    await page.getByRole('button', { name: 'Sign in with a key' }).click();
    await page.getByText('Signed in as ops').waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'see a page to sign in that axe finds nothing wrong with, %s',
    async (colorScheme) => {
      api = await openApi(RULES, port);
      const context = await browser.newContext({ baseURL: publicUrl, colorScheme });
      onTestFinished(() => context.close());
      await expectAccessible(await context.newPage(), ['/console', '/console/sign-in/callback?state=unknown&code=1']);
    },
  );
});
