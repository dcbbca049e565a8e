import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import type { TaskParameter } from '../../src/contracts/tasks/task-type.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { saveDeadMessage } from '../../src/store/celery/dead-message-save.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { registerTaskTypes } from '../../src/store/tasks/task-type-register.ts';
import { CHROMIUM, expectAccessible, expectToFitPhone, openBrowser, PHONE, visitConsole } from '../world/browser.ts';
import { eventually } from '../world/eventually.ts';
import { describeWith } from '../world/required-programs.ts';
import { openWorld, type World } from '../world/world.ts';

const DEAD = 500;
const MEGABYTE = 'x<b>&"'.repeat(140_000);

describeWith({ chromium: CHROMIUM !== undefined }, 'tasks and dead letters in the console', () => {
  let world: World;
  let browser: Browser;
  /** Work that the tasks did: what they were about, in their order. */
  const worked: string[] = [];
  const handlers: Partial<TaskHandlers> = {
    async process_content({ content_id }, { signal }) {
      if (content_id.startsWith('waits')) await new Promise((_, reject) => signal.addEventListener('abort', reject));
      worked.push(content_id);
      return { worked: content_id };
    },
    async ingest_youtube() {
      return { text: MEGABYTE };
    },
    async semantic_search({ query }) {
      throw new PermanentTaskError({ type: 'ValueError', message: `nobody understands ${query}` });
    },
  };

  beforeAll(async () => {
    const given = { FLOWER_PORT: '0', FLOWER_READ_ONLY: 'true' };
    [world, browser] = await Promise.all([openWorld('server', given, handlers), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  const visit = (options: BrowserContextOptions = {}, url = world.url) => visitConsole(browser, url, options);

  async function send(name: string, args: unknown[], more: object = {}): Promise<string> {
    const { json } = await world.call('POST', '/tasks', { name, args, ...more });
    return json.task_id;
  }
  /** A task that died before this test began: what its workflow would have recorded. */
  async function die(content_id: string): Promise<void> {
    const id = content_id.replace(' ', '-');
    const now = new Date().toISOString();
    const queued = {
      ...{ task_id: id, workflow_id: `task-${id}`, fingerprint: '', caller: 'local', door: 'http' as const },
      ...{ name: 'process_content', queue: 'content', args: [content_id, ['embed']], kwargs: {}, priority: null },
      ...{ eta: null, expires: null, soft_limit_ms: null, hard_limit_ms: null, callback_origin: null },
      ...{ root_id: null, parent_id: null },
    };
    const error = { type: 'ModelMissing', message: 'no model', traceback: null };
    const reason = 'ModelMissing: no model';
    const events = [
      { type: 'task_queued' as const, data: queued },
      { type: 'task_failed' as const, data: { error } },
      { type: 'task_dead_lettered' as const, data: { reason, attempts: 1 } },
    ];
    for (const event of events) {
      await appendEvent(world.db, TASKS, id, { ...event, occurred_at: now, dedupe_key: event.type });
    }
  }
  const names = async () => JSON.stringify((await world.call('GET', '/task-types')).json);
  /** A type that a worker, which has gone, served. */
  async function registerType(name: string, parameters: TaskParameter[] = []): Promise<void> {
    const type = {
      ...{ name, queue: 'old', doc: null, parameters, schema: null, options: {} },
      ...{ soft_time_limit: null, time_limit: null, max_retries: null, retry_delay: null, rate_limit: null },
    };
    const worker = { version: 1 as const, identity: '7@gone', runtime: 'python' as const, queues: ['old'] };
    await registerTaskTypes(world.db, { ...worker, types: [type] });
    await eventually(async () => expect(await names()).toContain(name));
  }
  const statusOf = async (id: string) => (await world.call('GET', `/tasks/${encodeURIComponent(id)}`)).json.status;
  const becomes = (id: string, status: string) => eventually(async () => expect(await statusOf(id)).toBe(status));

  it(`redrives ${DEAD} dead letters that a filter names, each once, and no others`, async () => {
    const others = await Promise.all([1, 2, 3].map((n) => send('semantic_search', [`question ${n}`])));
    const dead = Array.from({ length: DEAD }, (_, n) => `dead ${n}`);
    for (let at = 0; at < DEAD; at += 50) await Promise.all(dead.slice(at, at + 50).map(die));
    for (const id of others) await becomes(id, 'FAILURE');
    const { page } = await visit();
    await page.goto('/console/dead-letters');
    await page.getByLabel('Queue').selectOption('content');
    await page.waitForURL(/queue=content/);
    await page.getByRole('link', { name: /^Redrive all/ }).click();
    await page.getByText('ModelMissing: no model').first().waitFor();
    // One that dies after the preview is not among those that were agreed to.
    const late = await send('semantic_search', ['late'], { queue: 'content' });
    await becomes(late, 'FAILURE');
    await page.getByRole('button', { name: `Redrive ${DEAD} dead letters` }).click();
    await page.getByText(`${DEAD} dead letters redriven.`).waitFor({ timeout: 150_000 });
    await eventually(async () => {
      const ended =
        (await world.db`SELECT count(*) FROM tasks WHERE name = 'process_content' AND status = 'SUCCESS'`) as [
          { count: number },
        ];
      expect(ended[0].count).toBe(DEAD);
    });
    expect(worked.toSorted()).toEqual(dead.toSorted());
    expect(await Promise.all([...others, late].map(statusOf))).toEqual(Array(4).fill('FAILURE'));
  });

  it('keeps the chosen cause while another filter is set, and shows all causes again', async () => {
    for (const [n, reason] of ['invalid_json', 'unknown_task', 'invalid_json'].entries()) {
      const id = `0b0e6b1e-0000-4000-8000-0000000000a${n}`;
      const refused = { queue: 'content', reason, detail: 'it is not for us', task: null, publication: '{}' };
      await saveDeadMessage(world.db, { ...refused, id, task_id: null, body: '' });
    }
    const { page } = await visit();
    await page.goto('/console/dead-letters');
    await page.getByRole('link', { name: 'invalid json' }).click();
    await page.waitForURL(/cause=invalid_json/);
    await page.getByLabel('Queue').selectOption('content');
    await page.waitForURL(/queue=content/);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
      ...{ kind: 'message', cause: 'invalid_json', queue: 'content' },
    });
    expect(await page.locator('tbody tr').count()).toBe(2);
    await page.getByRole('link', { name: 'Show all causes' }).click();
    await page.waitForURL(/queue=content$/);
    await page.getByRole('link', { name: 'unknown task' }).waitFor();
  });

  it('keeps the time of a list of tasks and of builds', async () => {
    const { page } = await visit();
    for (const list of ['tasks', 'builds']) {
      await page.goto(`/console/${list}?since=2020-01-01T00:00:00Z&until=2040-01-01T00:00:00Z`);
      await page.getByLabel('Status').selectOption({ index: 1 });
      await page.waitForURL(/status=/);
      expect(page.url()).toMatch(/since=2020.*until=2040/);
    }
  });

  it('stays usable with a megabyte of arguments and of result', async () => {
    const id = await send('ingest_youtube', [], {
      kwargs: { url: 'dQw4w9WgXcQ', transcript_text: MEGABYTE },
      task_id: 'large',
    });
    await becomes(id, 'SUCCESS');
    const { page } = await visit();
    for (const path of ['/console/tasks', '/console/tasks/large', '/console/tasks/large/again']) {
      const answer = await page.goto(path);
      expect((await answer?.body())?.length).toBeLessThan(100_000);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    }
    await page.goto('/console/tasks/large');
    const shown = page.getByRole('region', { name: 'Arguments' });
    await shown.locator('summary').click();
    await shown.getByRole('link', { name: 'All of it' }).click();
    await page.waitForURL((url) => url.pathname !== '/console/tasks/large');
    expect(JSON.parse(await page.evaluate('document.body.innerText'))).toBe(MEGABYTE);
  });

  /** Fills in a field and runs the task; returns the last part of the address once the page says this. */
  async function runIt(page: Page, label: string, value: string, says: string): Promise<string> {
    await page.getByLabel(label).fill(value);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByText(says).waitFor();
    return page.url().split('/').at(-1)!;
  }

  it('runs a task again as a new one, with the arguments that were changed and the large one that was kept', async () => {
    await becomes('large', 'SUCCESS');
    const { page } = await visit();
    await page.goto('/console/tasks/large');
    await page.getByRole('link', { name: 'Run again' }).click();
    await runIt(page, 'Arguments', '{"url": 1}', 'There is no new task yet.');
    const changed = '{"url": "https://youtu.be/dQw4w9WgXcQ", "tags": ["again"]}';
    const id = await runIt(page, 'Arguments', changed, 'This is the new task.');
    expect((await world.call('GET', `/tasks/${id}`)).json.kwargs).toEqual({
      url: 'https://youtu.be/dQw4w9WgXcQ',
      tags: ['again'],
      transcript_text: MEGABYTE,
    });
  });

  it('runs a task again with its arguments that have no name, and they can be changed', async () => {
    await registerType('app.each', [{ name: 'items', kind: 'var_positional', required: false }]);
    const id = await send('app.each', [1, 2]);
    const { page } = await visit();
    await page.goto(`/console/tasks/${id}/again`);
    await runIt(page, 'By position', '1', 'must be a list');
    const again = await runIt(page, 'By position', '[1, 2, 3]', 'This is the new task.');
    expect((await world.call('GET', `/tasks/${again}`)).json).toMatchObject({ args: [1, 2, 3], kwargs: {} });
  });

  it('revokes what runs and retries it, without JavaScript, and asks first', async () => {
    const ids = ['waits/for ever?', 'waits%2F#..'];
    for (const id of ids) await send('process_content', ['waits', ['embed']], { task_id: id });
    for (const id of ids) await becomes(id, 'STARTED');
    const { page } = await visit({ javaScriptEnabled: false });
    await page.goto('/console/tasks?status=STARTED');
    for (const id of ids) await page.getByRole('checkbox', { name: `Select ${id}` }).check();
    await page.getByRole('button', { name: 'Revoke selected' }).click();
    expect(await statusOf(ids[0]!)).toBe('STARTED');
    await page.getByRole('button', { name: 'Revoke 2 tasks' }).click();
    await page.getByText('2 tasks revoked.').waitFor();
    for (const id of ids) await becomes(id, 'REVOKED');
    await page.goto(`/console/tasks/${encodeURIComponent(ids[0]!)}`);
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('The task is queued again.').waitFor();
    await becomes(ids[0]!, 'STARTED');
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Yes, revoke it' }).click();
    await becomes(ids[0]!, 'REVOKED');
  });

  it('retires a type of tasks that nobody serves, and asks first', async () => {
    for (const name of ['app.served', 'app.old']) await registerType(name);
    const { page } = await visit({ javaScriptEnabled: false });
    await page.goto('/console/task-types');
    await page.getByRole('row').filter({ hasText: 'app.old' }).getByRole('button', { name: 'Retire' }).click();
    expect(await names()).toContain('app.old');
    await page.getByRole('button', { name: 'Retire it' }).click();
    await page.waitForURL(/\/console\/task-types/);
    await eventually(async () => expect(await names()).not.toContain('app.old'));
    expect(await names()).toContain('app.served');
  });

  it('finds a task by a text in its arguments, and says so in the URL', async () => {
    const id = await send('process_content', ['Needle in the Hay', ['embed']]);
    const { page } = await visit();
    await page.goto('/console/tasks');
    await page.keyboard.press('/');
    await page.keyboard.type('needle IN');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\?q=needle\+IN$/);
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.locator('tbody tr a').first().click();
    await page.getByRole('region', { name: 'About it' }).getByText(id, { exact: true }).waitFor();
  });

  /** Every page of tasks; a new one belongs here. */
  async function pages(): Promise<string[]> {
    const message = '0b0e6b1e-0000-4000-8000-000000000001';
    const refused = { queue: 'content', reason: 'invalid_json', detail: 'the body is not JSON', task: null };
    const publication = JSON.stringify({ routing_key: 'content', headers: { lang: 'py' } });
    const body = Buffer.from('[not json').toString('base64');
    await saveDeadMessage(world.db, { ...refused, id: message, task_id: null, publication, body });
    const failed = (await world.call('GET', '/tasks?status=FAILURE&limit=1')).json.tasks[0].task_id;
    return [
      '/console/tasks',
      '/console/tasks?status=STARTED&name=nothing',
      '/console/tasks/large',
      '/console/tasks/large/again',
      `/console/tasks/${failed}`,
      '/console/many-tasks/retry?status=FAILURE',
      '/console/dead-letters',
      '/console/dead-letters?kind=build',
      `/console/dead-letters/message:${message}`,
      '/console/many-dead-letters/discard',
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

  it('shows no button where nothing may be changed, and refuses what a button would send', async () => {
    const { page } = await visit({}, world.flowerUrl);
    for (const path of await pages()) {
      await page.goto(path);
      expect([path, await page.locator('main form[method="post"], main .bulk').count()]).toEqual([path, 0]);
    }
    const before = await world.db`SELECT count(*) FROM events`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
    for (const path of ['many-tasks/retry', 'many-dead-letters/discard', 'tasks/large/retry', 'tasks/large/again']) {
      const body = 'sure=yes&id=task:large';
      const answer = await fetch(`${world.flowerUrl}/console/${path}`, { method: 'POST', headers, body });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(await world.db`SELECT count(*) FROM events`).toEqual(before);
  });
});
