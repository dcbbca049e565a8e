import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attemptFailed } from '../../src/activities/failures.ts';
import { LIMITS } from '../../src/contracts/budgets.ts';
import { taskError } from '../../src/contracts/tasks/task-event.ts';
import type { AttemptFailure } from '../../src/contracts/tasks/task-workflow.ts';
import { descriptionOf } from '../../src/domain/tasks/define-task.ts';
import { checkedFetch } from '../../src/integrations/checked-fetch.ts';
import { concernsCode } from '../../src/processes/own-tasks.ts';
import { defineTask, PermanentTaskError, RetryableTaskError, z } from '../../src/tasks/index.ts';
import { runTask } from '../../src/tasks/testing.ts';
import { startStandIn } from '../world/http-stand-in.ts';

/** Loaded by Node itself, as its way of loading is what it is about. */
const native = createRequire(import.meta.url);
const { TaskModules } = native('../../src/tasks/modules.ts') as typeof import('../../src/tasks/modules.ts');

const order = defineTask({
  name: 'shop.order',
  queue: 'shop',
  description: 'Orders something.',
  arguments: z.object({ what: z.string(), times: z.int().min(1).default(1) }),
  softTimeLimit: '30s',
  timeLimit: 60,
  retries: 5,
  retryDelay: '500ms',
  rateLimit: '10/m',
  async run({ what, times }, { step, heartbeat, log, attempt }) {
    heartbeat({ half: true });
    log.info('ordering', { what });
    const id = await step('order', ({ idempotencyToken }) => `${idempotencyToken.length}:${what}`);
    if (attempt === 1) throw new Error('the mail server is away');
    return { id, times, mailed: await step('mail', () => true) };
  },
});

describe('a task of the user', () => {
  it('is described for the registry', () => {
    expect(descriptionOf(order)).toMatchObject({
      ...{ name: 'shop.order', queue: 'shop', doc: 'Orders something.', soft_time_limit: 30, time_limit: 60 },
      ...{ max_retries: 5, retry_delay: 0.5, rate_limit: '10/m' },
      parameters: [
        { name: 'what', kind: 'positional_or_keyword', required: true },
        { name: 'times', kind: 'positional_or_keyword', required: false, default: '1' },
      ],
    });
  });

  it('runs in a test without servers, and does a step that is done no second time', async () => {
    const steps = new Map<string, unknown>();
    await expect(runTask(order, { what: 'tea' }, { taskId: 't', steps })).rejects.toThrow('the mail server is away');
    steps.set('order', 'kept');
    const second = await runTask(order, { what: 'tea' }, { taskId: 't', attempt: 2, steps });
    expect(second.result).toEqual({ id: 'kept', times: 1, mailed: true });
    expect(second.progress).toEqual([{ half: true }]);
    expect(second.log).toEqual([{ level: 'info', message: 'ordering' }]);
    await expect(runTask(order, { what: 1 as never })).rejects.toThrow();
  });

  it('may not do two steps of one name, or keep what is too large', async () => {
    const of = (run: Parameters<typeof defineTask>[0]['run']) =>
      runTask(defineTask({ name: 'a', arguments: z.object({}), run }), {});
    const twice = of(async (_, { step }) => {
      await step('a', () => 1);
      await step('a', () => 2);
    });
    await expect(twice).rejects.toThrow('there are two steps "a"');
    await expect(of((_, { step }) => step('a', () => 'x'.repeat(100_000)))).rejects.toThrow('100000 is the most');
  });

  it('may do a step again that has failed, which counts as one step', async () => {
    let tries = 0;
    const again = defineTask({
      name: 'a',
      arguments: z.object({}),
      async run(_, { step }) {
        const pay = () => step('pay', () => (++tries < 3 ? Promise.reject(new Error(`try ${tries}`)) : 'paid'));
        await expect(pay()).rejects.toThrow('try 1');
        await expect(pay()).rejects.toThrow('try 2');
        for (let more = 1; more < LIMITS.taskTypes.steps; more++) await step(`${more}`, () => 0);
        const paid = await pay();
        await expect(step('one more', () => 0)).rejects.toThrow(`more than ${LIMITS.taskTypes.steps} steps`);
        return paid;
      },
    });
    expect((await runTask(again, {})).result).toBe('paid');
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  it.each([[circular], [10n], [() => 1]])(
    'fails for good if it or a step of it gives what is no JSON: %s',
    async (given) => {
      const of = (run: Parameters<typeof defineTask>[0]['run']) =>
        runTask(defineTask({ name: 'a', arguments: z.object({}), run }), {}).catch((error: unknown) => error);
      const step = await of((_, context) => context.step('charge', () => given));
      expect(step).toBeInstanceOf(PermanentTaskError);
      expect(step).toMatchObject({ type: 'StepError', message: expect.stringMatching(/step "charge" is not JSON: ./) });
      const own = await of(() => given);
      expect(own).toBeInstanceOf(PermanentTaskError);
      expect(own).toMatchObject({ type: 'ResultNotJson' });
    },
  );

  it.each<[what: string, definition: object, said: string]>([
    ['a name', { name: 'a b' }, 'name: must begin with a letter'],
    ['the name of a task of Hapax', { name: 'ingest_url' }, 'is the name of a task of Hapax'],
    ['a queue', { queue: 'workflows' }, 'queue: is a name that Hapax keeps for itself'],
    ['arguments', { arguments: {} }, 'arguments: must be a z.object'],
    ['a limit', { timeLimit: 'soon' }, 'timeLimit: "soon" is not a duration'],
    ['a rate', { rateLimit: 'often' }, 'has the rate limit often'],
    ['a misspelt option', { retry: 3 }, 'retry: a task has no such option'],
    ['no code', { run: undefined }, 'run: must be a function'],
  ])('says what is wrong with %s', (_, also, said) => {
    const definition = { name: 'a', arguments: z.object({}), run: () => 1, ...also };
    expect(() => defineTask(definition as never)).toThrow(said);
  });
});

describe('what the code of a user throws', () => {
  const failureOf = (error: unknown) => attemptFailed(error, undefined).details?.[0] as AttemptFailure;

  it.each<[what: string, error: unknown, type: string, message: string]>([
    ['a text for a permanent error', new PermanentTaskError('sold out'), 'PermanentTaskError', 'sold out'],
    ['a text for another one', new RetryableTaskError('later'), 'RetryableTaskError', 'later'],
    ['a type that is no text', new PermanentTaskError({ type: 5 as never, message: 'm' }), '5', 'm'],
    ['no message', new PermanentTaskError({} as never), 'PermanentTaskError', ''],
    ['a message that is no text', Object.assign(new Error(), { message: { code: 7 } }), 'Error', '{"code":7}'],
    ['a name that is no text', Object.assign(new Error('m'), { name: undefined }), 'Error', 'm'],
    ['a stack that is no text', Object.assign(new Error('m'), { stack: [] }), 'Error', 'm'],
    ['no error at all', Object.create(null), 'Exception', '{}'],
  ])('is an error that the record can hold: %s', (_, error, type, message) => {
    const failed = failureOf(error).error;
    expect(taskError.parse(failed)).toMatchObject({ type, message });
  });

  it.each([['5000'], [1e17], [-1], [Number.NaN], [Date.now()]])(
    'asks for no pause with %j, so that the pause grows',
    (retryAfterMs) => {
      const error = new RetryableTaskError({ message: 'm', retryAfterMs: retryAfterMs as number });
      expect(failureOf(error).retry).toEqual({ after_ms: null, counted: true });
    },
  );
});

describe('modules of tasks', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hapax-tasks-'));
    mkdirSync(join(folder, 'shared'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const module = (name: string, result: string) => `import { defineTask, z } from 'hapax/tasks';
    import { answer } from './shared/answer.ts';
    export default defineTask({ name: '${name}', arguments: z.object({}), run: (): string => '${result}' + answer });`;

  it('are read as they are, wherever they are, and again when they or what they import change', async () => {
    write('shared/answer.ts', 'export const answer: number = 1;');
    write('one.ts', module('one', 'a'));
    write('one.test.ts', 'throw new Error("this is no module of tasks")');
    const modules = new TaskModules(folder);
    const run = async (name: string) => {
      const { tasks, faults } = await modules.load();
      const task = tasks.find((one) => one.name === name);
      return [task && (await runTask(task, {})).result, faults];
    };
    expect(await run('one')).toEqual(['a1', []]);
    write('shared/answer.ts', 'export const answer: number = 2;');
    expect(await run('one')).toEqual(['a2', []]);
    write('one.ts', module('one', 'b'));
    expect(await run('one')).toEqual(['b2', []]);
  });

  it('keep what they had while they are broken, and say why in a line', async () => {
    write('shared/answer.ts', 'export const answer = 1;');
    write('one.ts', module('one', 'a'));
    write('two.ts', module('two', 'c'));
    const modules = new TaskModules(folder);
    expect((await modules.load()).faults).toEqual([]);
    write('one.ts', 'export default {');
    const broken = await modules.load();
    expect(broken.tasks.map(({ name }) => name).sort()).toEqual(['one', 'two']);
    expect(broken.faults).toEqual([expect.stringMatching(/^one\.ts: .+/)]);
    write('one.ts', module('two', 'a'));
    expect((await modules.load()).faults).toEqual(['two.ts: there is another task two']);
    write('one.ts', module('one', 'a'));
    expect((await modules.load()).faults).toEqual([]);
    write('one.ts', 'export const nothing = 1;');
    expect((await modules.load()).faults).toEqual([expect.stringMatching(/^one\.ts: exports no task/)]);
    write('one.ts', "import './nowhere.ts';");
    expect((await modules.load()).faults).toEqual([expect.stringMatching(/^one\.ts: .*nowhere\.ts/)]);
  });
});

describe('modules of tasks that are not as they should be', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hapax-tasks-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

  it('do not keep the others from loading, where one never ends', async () => {
    write('endless.ts', 'await new Promise((resolve) => setTimeout(resolve, 3_600_000).unref()); export const x = 1;');
    expect(await new TaskModules(folder, 50).load()).toEqual({
      tasks: [],
      faults: ['endless.ts: still loading after 0.05 s (a top-level await?)'],
    });
  });

  it('are read again too where they are CommonJS', async () => {
    const common = (result: string) => `const { defineTask, z } = require('hapax/tasks');
      module.exports = defineTask({ name: 'a', arguments: z.object({}), run: () => require('./part.cjs') + '${result}' });`;
    const modules = new TaskModules(folder);
    const run = async () => (await runTask((await modules.load()).tasks[0]!, {})).result;
    write('part.cjs', "module.exports = '1';");
    for (const [file, result] of [
      ['a.cjs', 'b'],
      ['a.cjs', 'c'],
    ] as const) {
      write(file, common(result));
      expect(await run()).toBe(`1${result}`);
    }
    write('part.cjs', "module.exports = '2';");
    expect(await run()).toBe('2c');
  });
});

describe('a change below the folder of tasks', () => {
  it.each([
    ['mine.ts', true],
    ['shared/data.json', true],
    ['shared', true],
    ['old.cjs', true],
    ['notes.txt', false],
    ['node_modules/pkg/index.js', false],
    ['.git/index.js', false],
    ['.hapax/x.json', false],
    ['home/temporal/dynamic.json', false],
    ['home', false],
    ['homes/a.ts', true],
  ])('of %s loads them again: %s', (changed, expected) => {
    expect(concernsCode('/tasks', changed, '/tasks/home')).toBe(expected);
  });

  it('concerns code where the folder is in the home', () => {
    expect(concernsCode('/home/tasks', 'mine.ts', '/home')).toBe(true);
    expect(concernsCode('/tasks', 'mine.ts', '/tasks')).toBe(true);
  });
});

describe('fetch of a task', () => {
  it('calls no inner address unless its host is allowed, also not after a redirect', async () => {
    const site = await startStandIn(async ({ url }) =>
      url.pathname === '/odd'
        ? { status: 999, body: 'no' }
        : url.pathname === '/away'
          ? { status: 302, headers: { location: '/here' }, body: '' }
          : { body: 'here' },
    );
    const { port } = new URL(site.url);
    try {
      const { signal } = new AbortController();
      await expect(checkedFetch({ allowedHosts: [] })(site.url, { signal })).rejects.toThrow('TASK_ALLOWED_HOSTS');
      const open = checkedFetch({
        allowedHosts: ['127.0.0.1'],
        resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      });
      expect(await (await open(`${site.url}/away`, { signal })).text()).toBe('here');
      expect((await open(`${site.url}/away`, { signal, redirect: 'manual' })).status).toBe(302);
      await expect(open(`${site.url}/odd`, { signal })).rejects.toThrow('the status 999, which');
      await expect(open(`http://inner.example:${port}/`, { signal })).rejects.toThrow('no public address');
    } finally {
      await site.close();
    }
  });
});
