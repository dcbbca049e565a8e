import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { TaskTypeDescription } from '../../src/contracts/tasks/task-type.ts';
import { taskWorkflowId } from '../../src/contracts/tasks/task-workflow.ts';
import { registerTaskTypes } from '../../src/store/tasks/task-type-register.ts';
import { ENTRY } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openWorld, type World } from '../world/world.ts';
import { directory, Program } from './program.ts';

const execute = promisify(execFile);

const MODULE = `
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineTask, PermanentTaskError, z } from 'hapax/tasks';
import { greeting } from './shared/greeting.ts';

export const hello = defineTask({
  name: 'hello',
  queue: 'mine',
  arguments: z.object({ who: z.string(), times: z.int().default(1) }),
  run: ({ who, times }: { who: string; times: number }) => (greeting + ', ' + who + '! ').repeat(times).trim(),
});
export const flaky = defineTask({
  name: 'flaky',
  queue: 'mine',
  retryDelay: '10ms',
  arguments: z.object({ file: z.string(), failures: z.int() }),
  async run({ file, failures }, { step, attempt }) {
    const id = await step('one', () => { appendFileSync(file, 'one '); return { id: 7 }; });
    if (attempt <= failures) throw new RangeError('not yet');
    await step('two', () => appendFileSync(file, 'two '));
    return id;
  },
});
export const never = defineTask({
  name: 'never',
  queue: 'mine',
  arguments: z.object({}),
  run() { throw new PermanentTaskError({ type: 'NoStock', message: 'sold out \\ud800' }); },
});
export const stores = defineTask({
  name: 'stores',
  queue: 'mine',
  retries: 0,
  arguments: z.object({ code: z.string() }),
  run({ code }) { throw Object.assign(new Error('refused'), { code, query: 'INSERT', parameters: [] }); },
});
export const slow = defineTask({
  name: 'slow',
  queue: 'mine',
  softTimeLimit: '200ms',
  retries: 0,
  arguments: z.object({}),
  run: (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});
export const long = defineTask({
  name: 'long',
  queue: 'mine',
  arguments: z.object({ file: z.string(), until: z.string() }),
  async run({ file, until }, { step, signal }) {
    const said = greeting;
    for (const name of ['a', 'b', 'c']) await step(name, () => appendFileSync(file, name));
    appendFileSync(file, '.');
    while (!existsSync(until)) await delay(50, undefined, { signal });
    await step('d', () => appendFileSync(file, 'd'));
    return said;
  },
});
`;

describe('tasks of the user in TypeScript, on a worker process', () => {
  let world: World;
  let home: string;
  let folder: string;
  let worker: Program;
  /** The worker's way to the database. */
  let database: Awaited<ReturnType<typeof startFreezingProxy>>;
  const logOf = (of = home) => join(of, 'worker.log');
  const urlOf = ({ port }: typeof database) => Object.assign(new URL(world.databaseUrl), { port: String(port) }).href;
  const start = (also: Record<string, string> = {}, ...args: string[]) =>
    new Program(
      process.execPath,
      ['bin/hapax.js', 'serve', 'worker', ...args],
      {
        ...{ HAPAX_TASKS: folder, WORKER_QUEUES: 'mine:4', DATABASE_URL: urlOf(database), HAPAX_HOME: home },
        ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: world.namespace },
        ...{ GITHUB_TOKEN: 'test-token', GITHUB_REPO: 'acme/images' },
        ...also,
      },
      logOf(also.HAPAX_TASKS),
    );
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

  beforeAll(async () => {
    // Workflows are worked at here; the tasks by a process of their own.
    world = await openWorld('server', { WORKER_QUEUES: 'workflows' });
    database = await startFreezingProxy(Number(new URL(world.databaseUrl).port));
    home = mkdtempSync(join(tmpdir(), 'hapax-own-'));
    folder = join(home, 'tasks');
    mkdirSync(join(folder, 'shared'), { recursive: true });
    write('shared/greeting.ts', "export const greeting: string = 'Hello';");
    write('mine.ts', MODULE);
    worker = start({}, '--watch');
  });
  afterAll(async () => {
    await worker.kill();
    await database.close();
    await world.close();
    rmSync(home, { recursive: true, force: true });
  });

  const post = (body: object) => world.call('POST', '/tasks', body);
  const get = async (id: string) => (await world.call('GET', `/tasks/${id}`)).json;
  const ended = (id: string) =>
    eventually(async () => {
      const task = await get(id);
      if (task.completed_at === null) throw new Error(`task ${id} is ${task.status}`);
      return task;
    });
  /** Sends a task as soon as its type is registered. */
  const send = async (body: object): Promise<string> =>
    eventually(async () => {
      const { status, text, json } = await post(body);
      if (status !== 202) throw new Error(text);
      return json.task_id;
    });
  const run = async (body: object) => ended(await send(body));

  it('run, with their arguments checked before and defaults filled in', async () => {
    const task = await run({ name: 'hello', args: ['you'], kwargs: { times: 2 } });
    expect(task).toMatchObject({ status: 'SUCCESS', queue: 'mine', result: 'Hello, you! Hello, you!' });
    const refused = await post({ name: 'hello', args: ['you'], kwargs: { tmies: 2 } });
    expect(refused).toMatchObject({ status: 400, json: { errors: [{ path: 'body.kwargs.tmies' }] } });
    expect((await post({ name: 'hello', args: [7] })).json.errors).toEqual([
      { path: 'body.args.0', message: 'Invalid input: expected string, received number' },
    ]);
    const flower = await world.call('POST', '/api/task/apply/hello', { kwargs: { who: 'Flower' } });
    expect(flower.json).toMatchObject({ state: 'SUCCESS', result: 'Hello, Flower!' });
    expect((await world.call('GET', '/api/task/types')).json['task-types']).toContain('hello');
  });

  it('are retried as they say, and do each step once, over retries and a redrive', async () => {
    const file = join(home, 'effects.txt');
    const task = await run({ name: 'flaky', kwargs: { file, failures: 2 } });
    expect(task).toMatchObject({ status: 'SUCCESS', retries: 2, result: { id: 7 } });
    expect(readFileSync(file, 'utf8')).toBe('one two ');
    const failed = await run({ name: 'flaky', kwargs: { file, failures: 4 } });
    expect(failed).toMatchObject({ status: 'FAILURE', error: { type: 'RangeError', message: 'not yet' } });
    // It is a dead letter a moment after it has failed.
    await eventually(async () =>
      expect((await world.call('POST', `/dlq/task:${failed.task_id}/redrive`, {})).status).toBe(202),
    );
    await eventually(async () => expect(await get(failed.task_id)).toMatchObject({ status: 'FAILURE', redrives: 1 }));
    expect(readFileSync(file, 'utf8')).toBe('one two one ');
  });

  it('fail at once where another attempt cannot help, and at their own limits', async () => {
    // Half of a surrogate pair: over such a message, Temporal's SDK would end the worker.
    expect(await run({ name: 'never' })).toMatchObject({
      ...{ status: 'FAILURE', retries: 0, error: { type: 'NoStock', message: 'sold out \ufffd' } },
    });
    expect(await run({ name: 'slow' })).toMatchObject({ status: 'FAILURE', error: { type: 'SoftTimeLimitExceeded' } });
  });

  it('fail where a database of their own does: their postgres.js is not ours', async () => {
    for (const code of ['23505', '57P01', 'ECONNREFUSED', 'CONNECTION_CLOSED']) {
      const task = await run({ name: 'stores', kwargs: { code } });
      expect(task, code).toMatchObject({ status: 'FAILURE', retries: 0, error: { type: 'Error', message: 'refused' } });
    }
  });

  it('are loaded again when they change; what runs ends on the code that it began with', async () => {
    const [file, until] = [join(home, 'long.txt'), join(home, 'go')];
    const running = await send({ name: 'long', kwargs: { file, until } });
    await eventually(() => expect(readFileSync(file, 'utf8')).toBe('abc.'));
    write('shared/greeting.ts', "export const greeting: string = 'Good day';");
    await eventually(async () => expect((await run({ name: 'hello', args: ['you'] })).result).toBe('Good day, you!'));
    write('mine.ts', 'export const hello = {');
    await eventually(() => expect(readFileSync(logOf(), 'utf8')).toMatch(/HAPAX_TASKS: mine\.ts: [^\n]*still served/));
    expect((await run({ name: 'hello', args: ['you'] })).result).toBe('Good day, you!');
    write('mine.ts', MODULE);
    write('more.ts', MODULE.replace(/export const (?!hello)[\s\S]*/, '').replace("'hello'", "'another'"));
    expect((await run({ name: 'another', args: ['you'] })).result).toBe('Good day, you!');
    appendFileSync(until, '');
    expect((await ended(running)).result).toBe('Hello');
  });

  it('do each step once although their worker is killed in the middle', async () => {
    const [file, until] = [join(home, 'killed.txt'), join(home, 'go-on')];
    const id = await send({ name: 'long', kwargs: { file, until } });
    await eventually(() => expect(readFileSync(file, 'utf8')).toBe('abc.'));
    await worker.kill();
    worker = start({}, '--watch');
    await eventually(() => expect(readFileSync(file, 'utf8')).toBe('abc..'));
    appendFileSync(until, '');
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', retries: 0 });
    expect(readFileSync(file, 'utf8')).toBe('abc..d');
  });

  it('begin again where it is the database of Hapax that is away', async () => {
    const [file, until] = [join(home, 'cut.txt'), join(home, 'go-again')];
    const id = await send({ name: 'long', kwargs: { file, until } });
    await eventually(() => expect(readFileSync(file, 'utf8')).toBe('abc.'));
    database.cut();
    appendFileSync(until, '');
    await eventually(async () => {
      const { raw } = await world.client.workflow.getHandle(taskWorkflowId(id)).describe();
      expect(raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1);
    });
    database.mend();
    expect(await ended(id)).toMatchObject({ status: 'SUCCESS', retries: 0 });
    expect(readFileSync(file, 'utf8')).toBe('abc.d.d');
  });

  it('run what waited under an earlier signature, each argument where it belonged', async () => {
    await run({ name: 'hello', args: ['you'] });
    const parameter = (name: string) => ({ name, kind: 'positional_or_keyword', required: true }) as const;
    const earlier: TaskTypeDescription = {
      ...{ name: 'hello', queue: 'mine', doc: null, schema: null, soft_time_limit: null, time_limit: null },
      ...{ max_retries: null, retry_delay: null, rate_limit: null, options: {} },
      parameters: ['times', 'who'].map(parameter),
    };
    // As a worker of the version before did; the one here runs the present code.
    const [type] = await registerTaskTypes(world.db, {
      ...{ version: 1, identity: 'before', runtime: 'typescript', queues: [], types: [earlier] },
    });
    const waiting = await eventually(async () => {
      const { json } = await post({ name: 'hello', args: [2, 'you'], eta: new Date(Date.now() + 500).toISOString() });
      const [row] = await world.db`SELECT type_version FROM tasks WHERE id = ${json.task_id ?? ''}`;
      expect(row).toEqual({ type_version: type!.version });
      return json.task_id as string;
    });
    expect((await ended(waiting)).result).toBe('Good day, you! Good day, you!');
    // And what does not fit the present schema at all runs with what was accepted.
    const odd = await send({ name: 'hello', kwargs: { times: 1, who: 7 } });
    expect((await ended(odd)).result).toBe('Good day, 7!');
  });

  it('do not keep a worker that is told to stop, while the database hangs', async () => {
    await run({ name: 'hello', kwargs: { times: 1, who: 'you' } });
    database.freeze();
    await eventually(() => expect(database.kept).toBeGreaterThan(0));
    worker.signal('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    database.thaw();
    worker = start({}, '--watch');
  });

  it('take a newcomer from nothing to a result in three commands, and to another by a change of the file', async () => {
    const begun = performance.now();
    const place = await directory();
    const settings = {
      ...{ HAPAX_ENV_FILE: join(place, '.env'), HAPAX_HOME: join(place, 'home') },
      ...{ PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' },
    };
    const hapax = async (...args: string[]) => {
      const env = { ...process.env, ...settings };
      return (await execute(process.execPath, [ENTRY, ...args], { cwd: place, env })).stdout;
    };
    expect(await hapax('init', '--tasks')).toContain('hapax up --watch\n  hapax tasks send hello -k who=you --wait');
    const file = join(place, 'tasks/hello.ts');
    const module = readFileSync(file, 'utf8');
    expect(module.trim().split('\n').length).toBeLessThan(10);
    expect(readFileSync(join(place, '.env'), 'utf8')).toBe('HAPAX_TASKS=./tasks\n');
    const program = new Program(process.execPath, [ENTRY, 'up', '--watch'], settings, join(place, 'up.log'), place);
    onTestFinished(() => program.kill());
    await eventually(() => expect(program.output).toMatch(/ready; /), 120_000);
    expect(await hapax('tasks', 'types', 'hello')).toMatch(/arguments +who/);
    const send = () => hapax('tasks', 'send', 'hello', '-k', 'who=you', '--wait');
    expect(await send()).toContain('Hello, you!');
    console.log(`from nothing to the result: ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
    writeFileSync(file, module.replace('Hello', 'Good day'));
    await eventually(async () => expect(await send()).toContain('Good day, you!'));
  });

  it('stop the start of a worker where one is broken, with a line for each fault', async () => {
    const broken = await directory();
    writeFileSync(
      join(broken, 'one.ts'),
      "import { defineTask, z } from 'hapax/tasks';\nexport default defineTask({ name: 'a b', retry: 1, arguments: z.object({}), run: () => 1 } as never);",
    );
    writeFileSync(join(broken, 'two.ts'), 'export const x = 1;');
    const program = start({ HAPAX_TASKS: broken });
    onTestFinished(() => program.kill());
    expect(await program.ended).toMatchObject({ code: 1 });
    const lines = program.output.split('\n').filter((line) => line.startsWith('hapax: '));
    expect(lines).toEqual([
      'hapax: HAPAX_TASKS: one.ts: retry: a task has no such option',
      expect.stringMatching(/^hapax: HAPAX_TASKS: one\.ts: name: must begin with a letter/),
      expect.stringMatching(/^hapax: HAPAX_TASKS: two\.ts: exports no task/),
    ]);
  });
});
