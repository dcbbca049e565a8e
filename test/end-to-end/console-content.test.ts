import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import { quotaDay } from '../../src/domain/content/quota-day.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { CHROMIUM, expectAccessible, expectToFitPhone, openBrowser, PHONE, visitConsole } from '../world/browser.ts';
import { saveText } from '../world/content-world.ts';
import { eventually } from '../world/eventually.ts';
import { describeWith } from '../world/required-programs.ts';
import { openWorld, type World } from '../world/world.ts';

describeWith({ chromium: CHROMIUM !== undefined }, 'content, configurations and workers in the console', () => {
  let world: World;
  let browser: Browser;
  /** Ends the tasks that wait. */
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const handlers: Partial<TaskHandlers> = {
    async process_content({ content_id }) {
      if (content_id === 'waits') await released;
      return {};
    },
    async ingest_youtube() {
      return {};
    },
  };

  beforeAll(async () => {
    [world, browser] = await Promise.all([openWorld('server', { FLOWER_PORT: '0' }, handlers), openBrowser()]);
    const { db } = world;
    await saveText(
      postgresContent(db),
      'web:durable',
      'Builds are durable. <script>alert(1)</script>',
      'Durable <b>builds</b>',
      ['x<y'],
    );
    await saveText(
      postgresContent(db),
      'web:other',
      `${'Something else. '.repeat(80)}A building at the end.`,
      'Far down',
    );
    await db`INSERT INTO quota_days (bucket, day, units_used) VALUES ('general', ${quotaDay(Date.now())}, 1234)`;
  });
  afterAll(async () => {
    release();
    await browser?.close();
    await world?.close();
  });

  const visit = (options: BrowserContextOptions = {}) => visitConsole(browser, world.url, options);

  it('shows why a search found a document, by the words that it has in any form', async () => {
    const { page } = await visit();
    await page.goto('/console/search');
    await page.keyboard.press('/');
    await page.keyboard.type('building durable');
    await page.keyboard.press('Enter');
    const first = page.locator('.results > li').first();
    await first.getByText('it has all words of the query').waitFor();
    expect(await first.locator('h2 mark').allTextContents()).toEqual(['Durable', 'builds']);
    expect(await first.locator('.prose').textContent()).toBe('Builds are durable. <script>alert(1)</script>');
    const second = page.locator('.results > li').nth(1);
    await second.getByText('it has words of the query').waitFor();
    expect(await second.locator('.prose mark').allTextContents()).toEqual(['building']);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Durable <b>builds</b>' }).waitFor();
  });

  it('ingests a video with tags and priority, by the task that the page leads to', async () => {
    const { page } = await visit({ javaScriptEnabled: false });
    await page.goto('/console/content');
    await page.getByLabel('URL of a page').fill('https://youtu.be/dQw4w9WgXcQ');
    await page.getByLabel('Tags').fill('music, ,80s');
    await page.getByLabel('May use the reserved quota').check();
    await page.getByRole('button', { name: 'Ingest' }).click();
    await page.getByText('This task ingests it.').waitFor();
    const { json } = await world.call('GET', `/tasks/${page.url().split('/').at(-1)}`);
    expect(json).toMatchObject({
      name: 'ingest_youtube',
      kwargs: { url: 'https://youtu.be/dQw4w9WgXcQ', tags: ['music', '80s'], priority: true },
    });
  });

  it('tries a configuration on an example, and GitHub gets what it showed', async () => {
    const { page } = await visit();
    await page.goto('/console/configurations');
    await page.getByRole('link', { name: 'New configuration' }).click();
    await page.getByLabel('Name').fill('fedora');
    await page.getByLabel('Repository').fill('acme/images');
    await page.getByLabel('Workflow', { exact: true }).fill('build.yml');
    await page.getByLabel('Mapping').fill('{"fedora_version": "distro", "image_type": null}');
    await page.getByLabel('Templates').fill('{"image": "fedora-{{fedora_version}}-{{nothing}}"}');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('It was not saved.').waitFor();
    await page.getByText('uses {{nothing}}').first().waitFor();
    await page.getByLabel('Templates').fill('{"image": "fedora-{{fedora_version}}-{{image_type}}"}');
    await page.getByRole('button', { name: 'Try the example' }).click();
    await page.getByText('GitHub would get').waitFor();
    const shown = Object.fromEntries(
      await page
        .locator('section:has-text("GitHub would get") dl.facts > div')
        .evaluateAll((rows) =>
          rows.map((row) => [row.querySelector('dt')?.textContent, row.querySelector('dd')?.textContent]),
        ),
    );
    expect(shown).toEqual({ ref: 'main', distro: '43', image: 'fedora-43-silverblue' });
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('Version 1 stands now.').waitFor();
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.getByLabel('Deadline').fill('2h');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Version 2 stands now.').waitFor();
    expect(await page.locator('.versions li').first().locator('.differences').textContent()).toMatch(
      /deadline\s*\+\s*"2h"/,
    );
    await page.getByRole('link', { name: 'Trigger', exact: true }).last().click();
    await page.getByLabel('image_type').fill('silverblue');
    await page.getByLabel('fedora_version').fill('43');
    await page.getByRole('button', { name: 'Trigger' }).click();
    await page.waitForURL(/\/builds\/\d+$/);
    const build = await world.ended(Number(page.url().split('/').at(-1)));
    const { ref, ...inputs } = shown;
    expect(build).toMatchObject({ status: 'success', ref, inputs });
  });

  it('refuses to save over what somebody else saved meanwhile', async () => {
    const { page } = await visit();
    await page.goto('/console/configurations/new');
    await page.getByLabel('Name').fill('shared');
    await page.getByLabel('Repository').fill('acme/images');
    await page.getByLabel('Workflow', { exact: true }).fill('build.yml');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('link', { name: 'Edit' }).click();
    const id = /configurations\/(\d+)/.exec(page.url())![1];
    const theirs = { name: 'shared', repository: 'acme/images', workflow: 'other.yml' };
    expect((await world.call('PUT', `/configs/${id}`, theirs)).status).toBe(200);
    await page.getByLabel('Deadline').fill('9h');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('It was not saved.').waitFor();
    expect((await world.call('GET', `/configs/${id}`)).json).toMatchObject({ version: 2, deadline: null });
    expect(await page.getByLabel('Deadline').inputValue()).toBe('9h');
  });

  it('shows what a worker does now, and controls it as Flower does', async () => {
    await world.call('POST', '/tasks', { name: 'process_content', args: ['waits', ['embed']], task_id: 'now' });
    await eventually(async () => expect((await world.call('GET', '/tasks/now')).json.status).toBe('STARTED'));
    const worker = Object.keys((await world.call('GET', '/api/workers')).json)[0]!;
    const capacity = async () =>
      (await world.call('GET', '/api/workers?refresh=true')).json[worker].stats.pool['max-concurrency'];
    const before = await capacity();
    const { page } = await visit();
    await page.goto('/console/queues');
    await page.getByRole('row').filter({ hasText: worker }).getByText('now', { exact: true }).waitFor();
    await page.getByRole('link', { name: worker }).click();
    await page.getByRole('heading', { name: `Worker ${worker}` }).waitFor();
    const path = page.url();
    /** A busy machine may not take an order within two seconds; the page then says so, and it is given again. */
    const order = (give: () => Promise<void>, says: string) =>
      eventually(async () => {
        await page.goto(path);
        page.setDefaultTimeout(10_000);
        await give();
        await page.getByText(says).waitFor();
      });
    await order(() => page.getByRole('button', { name: 'One slot more' }).click(), 'Each queue has 1 slot more.');
    const after = await capacity();
    expect([after > before, (after - before) % 3]).toEqual([true, 0]);
    const content = page.locator('dl > div').filter({ hasText: /^content/ });
    const takeNoMore = content.getByRole('button', { name: 'Take no more' });
    const toggle = async () => {
      if ((await takeNoMore.count()) > 0) await takeNoMore.click();
      else await content.getByRole('button', { name: 'Take tasks' }).click();
    };
    await order(toggle, 'It takes no more tasks of content.');
    expect(await capacity()).toBe((after / 3) * 2);
    await order(toggle, 'It takes tasks of content again.');
    await order(async () => {
      await page.getByLabel('Rate').fill('10/m');
      await page.getByRole('button', { name: 'Limit' }).first().click();
    }, 'ingest_youtube is limited to 10/m.');
    const { registered } = (await world.call('GET', '/api/workers?refresh=true')).json[worker];
    expect(registered).toContain('tasks.ingest_youtube [rate_limit=10/m]');
    await order(async () => {
      await page.getByLabel('Rate').fill('0');
      await page.getByRole('button', { name: 'Limit' }).first().click();
    }, 'The rate limit of ingest_youtube is removed.');
    // It runs in the process of the API, which it does not end.
    await order(async () => {
      await page.getByRole('button', { name: 'Shut down' }).click();
      await page.getByRole('button', { name: 'Yes, do it' }).click();
    }, 'refused: it is part of');
  });

  it('pauses a queue and resumes it, as the API says too', async () => {
    const { page } = await visit();
    await page.goto('/console/queues');
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'youtube', exact: true }) });
    await row.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('The queue youtube is paused.').waitFor();
    await row.getByText('Paused').waitFor();
    expect((await world.call('GET', '/queues')).json).toContainEqual(
      expect.objectContaining({ name: 'youtube', paused: expect.objectContaining({ by: 'local' }) }),
    );
    await row.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('The queue youtube goes on.').waitFor();
    expect((await world.call('GET', '/queues')).json).toContainEqual(
      expect.objectContaining({ name: 'youtube', paused: null }),
    );
  });

  it('shows the days of the quota as a chart and as a table', async () => {
    const { page } = await visit();
    await page.goto('/console/quota');
    await page.locator('.plot canvas').waitFor();
    await page.getByText('1,234 of 10,000 units').waitFor();
    await page.getByText('As a table').click();
    expect(await page.getByRole('row').last().textContent()).toMatch(new RegExp(`${quotaDay(Date.now())}\\s*1,234`));
  });

  it('takes a newcomer two clicks to a build, two to why one failed and to another run of it', async () => {
    const { page } = await visit();
    await page.goto('/');
    await page.getByRole('link', { name: 'Trigger' }).first().click();
    await page.getByRole('button', { name: 'Trigger' }).click();
    await page.getByText('Ended: success').waitFor();
    const { json } = await world.trigger({ ref: 'broken', inputs: { simulate: 'failure' } });
    await world.ended(json.id);
    await page.goto('/');
    await page.getByRole('region', { name: 'Failures of the day' }).getByRole('link', { name: 'build.yml' }).click();
    await page.getByRole('heading', { name: '1 job failed' }).waitFor();
    await page.getByRole('button', { name: 'Run it again' }).click();
    await page.getByText(`Build ${json.id} is queued again.`).waitFor();
  });

  /** Every page of these; a new one belongs here. */
  async function pages(): Promise<string[]> {
    const worker = Object.keys((await world.call('GET', '/api/workers')).json)[0]!;
    return [
      ...['/console/content', '/console/content/web:durable', '/console/content?tag=none', '/console/search'],
      ...['/console/search?q=durable', '/console/search?q=nowhere', '/console/configurations'],
      ...['/console/configurations/1', '/console/configurations/2', '/console/configurations/2/edit'],
      ...['/console/configurations/new', '/console/quota', '/console/queues'],
      '/console/task-types',
      `/console/workers/${encodeURIComponent(worker)}`,
    ];
  }

  it.each(['light', 'dark'] as const)('is accessible and loads nothing from elsewhere, %s', async (colorScheme) => {
    const { page } = await visit({ colorScheme });
    await expectAccessible(page, await pages());
  });

  it('fits a phone: no page is wider than it', async () => {
    const { page } = await visit(PHONE);
    await expectToFitPhone(page, await pages());
  });
});
