import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startAnotherApi } from '../world/another-api.ts';
import { dump } from '../world/dump.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { Program } from './program.ts';

const MODULE = `
import { createHash } from 'node:crypto';
import { defineTask, z } from 'hapax/tasks';

let fails = true;
export const login = defineTask({
  name: 'login',
  queue: 'mine',
  retries: 0,
  arguments: z.object({ user: z.string(), password: z.string().meta({ writeOnly: true }), note: z.unknown().optional() }),
  run({ user, password, note }: { user: string; password: string; note?: unknown }) {
    if (user === 'late' && fails) { fails = false; throw new RangeError('not yet'); }
    return { user, sha256: createHash('sha256').update(password).digest('hex'), note };
  },
});
`;

describe('arguments that a task marks as secret', () => {
  const secret = `pass-${randomBytes(8).toString('hex')}`;
  const result = (user: string) => ({ user, sha256: createHash('sha256').update(secret).digest('hex') });
  const keyOf = (id: string) => `${id}=${randomBytes(32).toString('base64')}`;
  const TEMPORAL_CODEC_KEYS = keyOf('one');
  let world: World;
  let home: string;
  let worker: Program;
  let connection: Connection;
  beforeAll(async () => {
    world = await openWorld('server', { WORKER_QUEUES: 'workflows', TEMPORAL_CODEC_KEYS });
    connection = await Connection.connect({ address: inject('temporalAddress') });
    home = mkdtempSync(join(tmpdir(), 'hapax-secret-'));
    const folder = join(home, 'tasks');
    mkdirSync(folder);
    writeFileSync(join(folder, 'login.ts'), MODULE);
    worker = new Program(
      process.execPath,
      ['bin/hapax.js', 'serve', 'worker'],
      {
        ...{ HAPAX_TASKS: folder, WORKER_QUEUES: 'mine:4', DATABASE_URL: world.databaseUrl, HAPAX_HOME: home },
        ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: world.namespace },
        ...{ GITHUB_TOKEN: 'test-token', GITHUB_REPO: 'acme/images', TEMPORAL_CODEC_KEYS, LOG_LEVEL: 'trace' },
      },
      join(home, 'worker.log'),
    );
  });
  afterAll(async () => {
    await worker?.kill();
    await connection?.close();
    await world?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Sends a task as soon as its type is registered, and waits for its end. */
  const run = async (body: object) => {
    const id = await eventually(async () => {
      const { status, text, json } = await world.call('POST', '/tasks', body);
      if (status !== 202) throw new Error(text);
      return json.task_id as string;
    });
    return (await world.call('GET', `/tasks/${id}?wait=60`)).json;
  };

  it('reach the task, by position and by name and again after a retry, and are read nowhere else', async () => {
    expect(await run({ name: 'login', args: ['one', secret] })).toMatchObject({
      status: 'SUCCESS',
      result: result('one'),
    });
    const named = { name: 'login', kwargs: { user: 'two', password: secret }, task_id: 'login-two' };
    expect(await run(named)).toMatchObject({
      result: result('two'),
      kwargs: { user: 'two', password: { $secret: expect.any(String) } },
    });
    // The same request finds the same task; one with another secret is another.
    expect((await world.call('POST', '/tasks', named)).status).toBe(202);
    const other = { ...named, kwargs: { user: 'two', password: 'another' } };
    expect(await world.call('POST', '/tasks', other)).toMatchObject({ status: 422, json: { code: 'task_id_reused' } });
    const note = { $secret: 'a word that means nothing to Hapax' };
    expect(await run({ name: 'login', kwargs: { user: 'three', password: secret, note } })).toMatchObject({
      status: 'SUCCESS',
      result: { ...result('three'), note },
    });
    const late = await run({ name: 'login', kwargs: { user: 'late', password: secret } });
    expect(late).toMatchObject({ status: 'FAILURE' });
    await eventually(async () =>
      expect((await world.call('POST', `/tasks/${late.task_id}/retry`, {})).status).toBe(202),
    );
    await eventually(async () =>
      expect((await world.call('GET', `/tasks/${late.task_id}`)).json).toMatchObject({ result: result('late') }),
    );
    // Sealed for one task, it is no argument of another: nobody can have it opened.
    const { kwargs } = (await world.call('GET', '/tasks/login-two')).json;
    expect(await world.call('POST', '/tasks', { name: 'login', kwargs })).toMatchObject({ status: 400 });

    // Also while the key is replaced, where another process already seals with the next one.
    const rotated = { TEMPORAL_CODEC_KEYS: `${keyOf('two')},${TEMPORAL_CODEC_KEYS}` };
    const next = await startAnotherApi(world, { settings: rotated });
    const keyed = { 'idempotency-key': 'once' };
    expect(await next.call('POST', '/tasks', named)).toMatchObject({ status: 202, json: { task_id: 'login-two' } });
    expect(await next.call('POST', '/tasks', other)).toMatchObject({ status: 422, json: { code: 'task_id_reused' } });
    const claimed = { ...named, task_id: 'login-keyed' };
    expect((await world.call('POST', '/tasks', claimed, keyed)).status).toBe(202);
    const again = await next.call('POST', '/tasks', claimed, keyed);
    expect([again.status, again.json.task_id]).toEqual([202, 'login-keyed']);

    expect(await dump(world.db)).not.toContain(secret);
    expect((await world.call('GET', '/events?limit=100')).text).not.toContain(secret);
    expect(worker.output).not.toContain(secret);
    const { workflowService } = connection;
    const { namespace } = world;
    const { executions } = await workflowService.listWorkflowExecutions({ namespace });
    for (const { execution } of executions) {
      const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution: execution! });
      const bytes = proto.temporal.api.history.v1.History.encode(history!).finish();
      expect(Buffer.from(bytes).toString('latin1')).not.toContain(secret);
    }
  });
});
