import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { ENTRY, type Person, person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { standBefore } from '../world/stand-before.ts';
import { openWorld, type World } from '../world/world.ts';

let world: World;
let me: Person;
/** Tasks whose content is named here fail for good. */
const broken = new Set<string>();
beforeAll(async () => {
  world = await openWorld(
    'server',
    {},
    {
      async process_content({ content_id, operations }) {
        if (broken.has(content_id))
          throw new PermanentTaskError({ type: 'ValueError', message: `${content_id} is broken` });
        return Object.fromEntries(operations.map((operation) => [operation, 'completed']));
      },
    },
  );
});
afterAll(() => world.close());
beforeEach(() => {
  me = person({ HAPAX_URL: world.url });
  return me.remove;
});

const hapax = (...args: string[]) => me.hapax(args);
let n = 0;
/** A task that failed for good, and so is a dead letter. */
async function failedTask() {
  const content = `broken-${++n}`;
  broken.add(content);
  const { code, json } = await hapax(
    'tasks',
    'send',
    'process_content',
    '--args',
    JSON.stringify([content, ['embed']]),
    '--wait',
    '--json',
  );
  expect(code).toBe(1);
  await eventually(async () => expect((await world.call('GET', `/dlq/task:${json.task_id}`)).status).toBe(200));
  return { id: json.task_id as string, content };
}

describe('hapax tasks', () => {
  it('send, wait and show: the result is printed, and the code is that of the task', async () => {
    const sent = await hapax(
      'tasks',
      'send',
      'process_content',
      '-k',
      'content_id=c-1',
      '-k',
      'operations:=["embed"]',
      '--wait',
    );
    expect([sent.code, sent.stderr]).toEqual([0, '']);
    expect(sent.stdout).toMatch(
      /^\S+Z task queued: process_content in content\n[\s\S]*task [\w-]+: SUCCESS\n\{\n {2}"embed": "completed"\n\}\n$/,
    );
    const [, id = ''] = /task ([\w-]{36}): SUCCESS/.exec(sent.stdout) ?? [];
    expect(await hapax('tasks', 'wait', id, '--json')).toMatchObject({
      code: 0,
      json: { task_id: id, result: { embed: 'completed' } },
    });
    expect((await hapax('tasks', 'show', id)).stdout).toContain('{"content_id":"c-1","operations":["embed"]}');
    expect((await hapax('tasks', 'show', id, '--json')).json).toEqual((await world.call('GET', `/tasks/${id}`)).json);
    expect((await hapax('verify', `task:${id}`)).stdout).toMatch(/^task:.*: valid, \d+ events/);
    expect((await hapax('tasks', 'list', '--status', 'SUCCESS', '--json')).json.tasks).toContainEqual(
      expect.objectContaining({ task_id: id }),
    );
  });

  it('for later, the same command again is the same task at the same time, if no response came', async () => {
    let arrived = 0;
    const url = await standBefore(world.url, () => (arrived++ === 0 ? 'hold' : 'pass'));
    const args = ['tasks', 'send', 'process_content', '--args', '["c-later", ["embed"]]', '--queue', 'search'];
    const command = [...args, '--eta', '1h', '--expires', '2h', '--json', '--url', url];
    const laterOnes = async () => (await world.call('GET', '/tasks?queue=search&status=PENDING')).json.tasks;
    const killed = me.start(command);
    await eventually(async () => expect(await laterOnes()).toHaveLength(1));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const [{ task_id, created_at, eta, expires }] = await laterOnes();
    const hoursAfter = (time: string) => Math.round((Date.parse(time) - Date.parse(created_at)) / 60_000) / 60;
    expect([eta, expires].map(hoursAfter)).toEqual([1, 2]);
    expect(await hapax(...command)).toMatchObject({ code: 0, json: { task_id, replayed: true } });
    await hapax('tasks', 'revoke', task_id);
    expect((await hapax('tasks', 'wait', task_id)).code).toBe(1);
  });

  it('an id of the caller stands for one task', async () => {
    const args = ['tasks', 'send', 'process_content', '--args', '["c-2", ["embed"]]', '--id', 'mine', '--json'];
    const [first, second] = [await hapax(...args), await hapax(...args)];
    expect([first.json, second.json.task_id]).toEqual([{ task_id: 'mine', status: 'queued', replayed: false }, 'mine']);
    expect(second.json.replayed).toBe(true);
  });

  it('a failed one says why, and is retried', async () => {
    const { id, content } = await failedTask();
    const waited = await hapax('tasks', 'wait', id);
    expect([waited.code, waited.stdout]).toEqual([1, expect.stringContaining(`ValueError: ${content} is broken`)]);
    broken.delete(content);
    expect((await hapax('tasks', 'retry', id)).stdout).toBe(`task ${id}: task queued again\n`);
    expect(
      await eventually(async () => {
        const outcome = await hapax('tasks', 'wait', id);
        expect(outcome.code).toBe(0);
        return outcome;
      }),
    ).toMatchObject({ stdout: expect.stringContaining('SUCCESS') });
  });

  it('those that a filter names are counted, revoked after a yes, and retried', async () => {
    const later = {
      name: 'process_content',
      args: ['c-many', ['embed']],
      eta: '2099-01-01T00:00:00Z',
      queue: 'search',
    };
    for (const task_id of ['many-1', 'many-2']) await world.call('POST', '/tasks', { ...later, task_id });
    const filter = ['--queue', 'search', '--status', 'PENDING'];
    expect((await hapax('tasks', 'revoke', ...filter, '--dry-run')).stdout).toBe('2 tasks would be revoked\n');
    expect(await hapax('tasks', 'revoke', ...filter)).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('This revokes 2 tasks.') },
    });
    const revoked = await hapax('tasks', 'revoke', ...filter, '--yes', '--json');
    expect([revoked.code, revoked.json.done.toSorted()]).toEqual([0, ['many-1', 'many-2']]);
    await eventually(async () => {
      const retried = await hapax('tasks', 'retry', 'many-1', 'many-2', '--yes');
      expect([retried.code, retried.stdout]).toEqual([0, '2 queued again, 0 refused\n']);
    });
    await hapax('tasks', 'revoke', 'many-1', 'many-2', '--yes');
    expect(await hapax('tasks', 'revoke')).toMatchObject({ code: 2, stderr: expect.stringContaining('which tasks') });
  });

  it('that are named and do not exist, or cannot be changed, are said to be refused', async () => {
    const later = { name: 'process_content', args: ['c-named', ['embed']], eta: '2099-01-01T00:00:00Z' };
    for (const task_id of ['named-1', 'named-2', 'named-3']) await world.call('POST', '/tasks', { ...later, task_id });
    await hapax('tasks', 'revoke', 'named-3');
    expect((await hapax('tasks', 'wait', 'named-3')).stdout).toContain('REVOKED');
    const args = ['tasks', 'revoke', 'named-1', 'absent', 'named-2', 'named-3'];
    const tried = await hapax(...args, '--dry-run');
    expect([tried.code, tried.stdout]).toEqual([1, '2 tasks would be revoked\n']);
    expect(tried.stderr).toMatch(/^absent was refused: .*\nnamed-3 was refused: .*\n$/);
    expect((await hapax(...args, '--dry-run', '--json')).json).toMatchObject({
      ...{ count: 2, more: false, sample: [{ task_id: 'named-1' }, { task_id: 'named-2' }] },
      refused: [{ id: 'absent' }, { id: 'named-3' }],
    });
    expect(await hapax(...args, '--yes', '--json')).toMatchObject({
      code: 1,
      json: { done: ['named-1', 'named-2'], refused: [{ id: 'absent' }, { id: 'named-3' }], more: false },
    });
  });

  it('and data to erase that nothing matches are none done, in the form of those that were', async () => {
    const none = { done: [], refused: [], more: false };
    for (const [done, ...command] of [
      ['revoked', 'tasks', 'revoke', '--name', 'nothing-has-this-name', '--yes'],
      ['queued again', 'tasks', 'retry', '--name', 'nothing-has-this-name', '--yes'],
      ['erased', 'erase', '--caller', 'nobody-has-this-name', '--yes'],
    ]) {
      expect(await hapax(...command)).toMatchObject({ code: 0, stdout: `0 ${done}, 0 refused\n` });
      expect((await hapax(...command, '--json')).json).toEqual(none);
      expect((await hapax(...command, '--dry-run', '--json')).json).toEqual({ count: 0, more: false, sample: [] });
    }
  });

  it('one that waits is revoked; arguments that cannot be read are refused', async () => {
    const { json } = await hapax(
      'tasks',
      'send',
      'process_content',
      '--args',
      '["c-3", ["embed"]]',
      '--eta',
      '2099-01-01T00:00:00Z',
      '--json',
    );
    expect((await hapax('tasks', 'revoke', json.task_id)).stdout).toContain('revocation requested');
    expect(await hapax('tasks', 'wait', json.task_id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('REVOKED'),
    });
    for (const args of [
      ['--args', '{}'],
      ['--args', '['],
      ['-k', 'x'],
      ['-k', 'x:=y'],
    ]) {
      expect(await hapax('tasks', 'send', 'process_content', ...args)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^hapax: .*write it as/),
      });
    }
    expect(await hapax('tasks', 'send', 'nonsense')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^hapax: There is no such task/),
    });
  });
});

describe('hapax dlq', () => {
  it('lists, shows, previews and redrives what a filter finds, once that is confirmed', async () => {
    const letters = [await failedTask(), await failedTask()];
    const ids = letters.map(({ id }) => `task:${id}`).sort();
    const filter = ['--kind', 'task', '--name', 'process_content'];
    expect((await hapax('dlq', 'list', ...filter)).stdout).toContain(`${letters[0]!.content} is broken`);
    const listed = (await hapax('dlq', 'list', ...filter, '--json')).json;
    expect(listed.dead_letters.map(({ id }: { id: string }) => id).sort()).toEqual(ids);
    const ofCause = async (cause: string) => (await hapax('dlq', 'list', ...filter, '--cause', cause, '--json')).json;
    expect((await ofCause('ValueError')).dead_letters).toHaveLength(2);
    expect((await ofCause('KeyError')).dead_letters).toEqual([]);
    expect((await hapax('dlq', 'redrive', '--cause', 'KeyError', '--yes', '--json')).json.redriven).toEqual([]);
    expect((await hapax('dlq', 'show', ids[0]!)).stdout).toContain('dead letter');
    expect((await hapax('dlq', 'show', ids[0]!, '--json')).json).toMatchObject({
      id: ids[0],
      events: expect.any(Array),
    });

    expect(await hapax('dlq', 'redrive')).toMatchObject({
      code: 2,
      stderr: 'hapax: Nothing says which dead letters: name ids, a filter, or --all\n',
    });
    expect(await hapax('dlq', 'redrive', ...filter)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('This redrives 2 dead letters.: confirm it with --yes'),
    });
    expect((await hapax('dlq', 'redrive', ...filter, '--dry-run')).stdout).toMatch(/2 would be redriven\n$/);
    expect((await hapax('dlq', 'list', ...filter, '--json')).json.dead_letters).toHaveLength(2);

    const one = [...filter, '--limit', '1'];
    expect((await hapax('dlq', 'redrive', ...one, '--dry-run')).stdout).toMatch(/1 would be redriven; more match\n$/);
    expect((await hapax('dlq', 'redrive', ...one, '--dry-run', '--json')).json.more).toBe(true);
    expect((await hapax('dlq', 'redrive', ...one)).stderr).toContain('This redrives 1 dead letter; more match.');

    for (const { content } of letters) broken.delete(content);
    const first = await hapax('dlq', 'redrive', ...one, '--yes');
    expect([first.code, first.stdout, first.stderr]).toEqual([
      ...[0, '1 redriven, 0 refused\n', 'more match: run it again\n'],
    ]);
    const second = await hapax('dlq', 'redrive', ...filter, '--yes', '--json');
    expect([second.code, second.json]).toEqual([0, { redriven: [expect.any(String)], refused: [], more: false }]);
    expect(ids).toContain(second.json.redriven[0]);
    for (const { id } of letters) expect((await hapax('tasks', 'wait', id)).code).toBe(0);
  });

  it('discards, and says which were refused; a discarded task can be retried, as it says', async () => {
    const { id, content } = await failedTask();
    expect(await hapax('dlq', 'discard', `task:${id}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hapax tasks retry'),
    });
    expect((await hapax('dlq', 'discard', `task:${id}`, '--yes')).stdout).toMatch(/^1 discarded/);
    expect((await hapax('dlq', 'list', '--kind', 'task', '--json')).json.dead_letters).toEqual([]);
    const unknown = { id: `task:${id}`, detail: expect.stringContaining('There is no such resource') };
    expect(await hapax('dlq', 'redrive', `task:${id}`, '--yes', '--json')).toMatchObject({
      ...{ code: 1, json: { redriven: [], refused: [unknown] } },
    });
    const tried = await hapax('dlq', 'redrive', `task:${id}`, '--dry-run');
    expect([tried.code, tried.stderr]).toEqual([1, expect.stringContaining(`task:${id} was refused: `)]);
    expect(await hapax('dlq', 'redrive', `task:${id}`, '--dry-run', '--json')).toMatchObject({
      ...{ code: 1, json: { dead_letters: [], refused: [unknown], more: false } },
    });
    const other = `task:${(await failedTask()).id}`;
    expect(await hapax('dlq', 'discard', `task:${id}`, other, '--yes', '--json')).toMatchObject({
      ...{ code: 1, json: { discarded: [other], refused: [unknown] } },
    });
    broken.delete(content);
    expect((await hapax('tasks', 'retry', id)).code).toBe(0);
    expect((await hapax('tasks', 'wait', id)).code).toBe(0);
  });
});

it('lists builds as they were: what had just begun had taken no time, whatever time has passed since', async () => {
  const { id } = (await world.trigger({ ref: 'as-it-was' })).json;
  const { created_at } = await world.ended(id);
  await eventually(() => expect(Date.now() - Date.parse(created_at)).toBeGreaterThan(2_000));
  const at = new Date(Date.parse(created_at) + 1).toISOString();
  expect((await hapax('list', '--ref', 'as-it-was', '--at', at)).stdout).toMatch(
    new RegExp(`queued +as-it-was +${created_at} +0s`),
  );
});

it('says what was redriven before something stopped it', async () => {
  const ids = [`task:${(await failedTask()).id}`, `task:${(await failedTask()).id}`];
  const second = `/dlq/${encodeURIComponent(ids[1]!)}/redrive`;
  const url = await standBefore(world.url, (path) => (path === second ? 502 : 'pass'));
  const { code, stdout } = await hapax('dlq', 'redrive', ...ids, '--yes', '--json', '--url', url);
  expect([code, JSON.parse(stdout)]).toEqual([5, { redriven: [ids[0]], refused: [], more: false }]);
});

it('hapax queues, quota and search say what the API says', async () => {
  const queues = await hapax('queues');
  expect(queues.stdout).toMatch(/^QUEUE +WAITING +OLDEST +RUNNING +WORKERS\nbuilds +0 /);
  expect((await hapax('queues', '--json')).json.queues).toContainEqual(
    expect.objectContaining({ name: 'content', depth: expect.any(Number) }),
  );
  expect((await hapax('quota')).stdout).toMatch(
    /^used +0 units, 0 %\nleft +10000 units, 1000 of them for priority\nresets/,
  );
  expect((await hapax('quota', '--json')).json).toMatchObject({ units_remaining: 10_000 });
  expect(await hapax('search', 'no', 'such', 'words', '--limit', '3')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('nothing was found'),
  });
  expect((await hapax('search', 'words', '--json')).json).toMatchObject({ query: 'words', results: [] });
});

describe('hapax profile', () => {
  it('keeps a key without showing it, in a file for its user alone', async () => {
    const secret = 'a-secret-of-the-test';
    const file = join(me.home, 'config/hapax/profiles.json');
    const set = await me.hapax(['profile', 'set', 'prod', '--url', `${world.url}/`], {}, `${secret}\n`);
    expect([set.code, statSync(file).mode & 0o777]).toEqual([0, 0o600]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      default: 'prod',
      profiles: { prod: { url: world.url, key: secret } },
    });
    const outputs = [
      set,
      await hapax('profile', 'list'),
      await hapax('profile', 'list', '--json'),
      await hapax('list', '--profile', 'prod'),
    ];
    expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(JSON.stringify(outputs)).not.toContain(secret);
    expect(outputs[2]!.json).toEqual({ profiles: [{ name: 'prod', url: world.url, has_key: true, default: true }] });
    expect((await me.hapax(['list'], { HAPAX_URL: '' })).code).toBe(0);

    await me.hapax(['profile', 'set', 'dead', '--url', 'http://127.0.0.1:1', '--no-key']);
    await hapax('profile', 'use', 'dead');
    expect((await me.hapax(['list'], { HAPAX_URL: '' })).code).toBe(5);
    expect((await me.hapax(['list'], { HAPAX_URL: '', HAPAX_PROFILE: 'prod' })).code).toBe(0);
    await hapax('profile', 'remove', 'dead');
    expect(await hapax('profile', 'use', 'dead')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no profile "dead"'),
    });
  });
});

describe('hapax completion', () => {
  const complete = async (...words: string[]) =>
    (await me.hapax(['complete', '--', ...words])).stdout
      .split('\n')
      .flatMap((line) => (line.includes('\t') ? [line.split('\t')[0]] : []));

  it('offers the commands, options and values that the program has', async () => {
    expect(await complete('')).toEqual(
      expect.arrayContaining(['trigger', 'watch', 'tasks', 'dlq', 'serve', 'up', 'completion']),
    );
    expect(await complete('tr')).toEqual(['trigger']);
    expect(await complete('serve', '')).toEqual(expect.arrayContaining(['api', 'worker', 'bridge']));
    expect(await complete('trigger', '--w')).toEqual(['--watch']);
    expect(await complete('list', '--status', 's')).toEqual(['success']);
    expect(await complete('dlq', 'redrive', '--kind', '')).toEqual(['build', 'task', 'message']);
    await me.hapax(['profile', 'set', 'prod', '--url', world.url, '--no-key']);
    expect(await complete('list', '--profile', '')).toEqual(['prod']);
  });

  it('works in bash, with and without the package bash-completion, also when it is sourced twice', async () => {
    mkdirSync(join(me.home, 'bin'));
    symlinkSync(ENTRY, join(me.home, 'bin/hapax'));
    const script = `
      compopt() { :; } # bash has it only while it completes
      source <(hapax completion bash); source <(hapax completion bash)
      COMP_WORDS=(hapax list --status in); COMP_CWORD=3; __hapax_complete; echo "\${COMPREPLY[*]}"
      COMP_WORDS=(hapax tasks ''); COMP_CWORD=2; __hapax_complete; echo "\${COMPREPLY[*]}"
      complete -p hapax`;
    const PATH = `${join(me.home, 'bin')}:${join(process.execPath, '..')}:${process.env.PATH}`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
      env: { ...me.env, PATH },
      encoding: 'utf8',
    });
    const [status, tasks, registered] = stdout.trim().split('\n');
    expect([stderr, status, registered]).toEqual(['', 'in_progress', 'complete -F __hapax_complete hapax']);
    expect(tasks?.split(' ')).toEqual(expect.arrayContaining(['send', 'wait', 'list', 'show', 'revoke', 'retry']));
  });

  it.each(['zsh', 'fish'])('prints a script for %s, which the shell takes where it is installed', async (shell) => {
    const { code, stdout } = await hapax('completion', shell);
    expect(code).toBe(0);
    expect(stdout).toContain('hapax complete --');
    const checked = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' });
    if (!checked.error) expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});
