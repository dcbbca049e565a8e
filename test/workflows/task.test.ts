import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attemptFailed, toFailure } from '../../src/activities/failures.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { PYTHON_PROTOCOL_VERSION } from '../../src/contracts/tasks/python-workflow.ts';
import type { TaskEvent } from '../../src/contracts/tasks/task-event.ts';
import { taskQueueOf } from '../../src/contracts/tasks/task-queues.ts';
import {
  ATTEMPT_FAILED,
  ENDED,
  TASK_WORKFLOW,
  type TaskInput,
  taskWorkflowId,
} from '../../src/contracts/tasks/task-workflow.ts';
import { taskQueuedEvent } from '../../src/domain/record/first-events.ts';
import { NotRecordable } from '../../src/domain/record/not-recordable.ts';
import { evolveTask, type Task } from '../../src/domain/tasks/task.ts';
import { PermanentTaskError, RetryableTaskError } from '../../src/domain/tasks/task-error.ts';
import { taskPolicyOf } from '../../src/domain/tasks/task-request.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import type { taskRun } from '../../src/workflows/index.ts';
import { beginUpdate, revokeSignal, taskStateQuery } from '../../src/workflows/messages.ts';
import type { CallbackRecordPort } from '../../src/workflows/ports/callback.ts';
import type { RecordPort } from '../../src/workflows/ports/record.ts';
import type { TaskPort } from '../../src/workflows/ports/tasks.ts';
import { eventually } from '../world/eventually.ts';
import { hasTestServer, releaseTime, startTestServer } from '../world/test-server.ts';
import '../world/temporal-runtime.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
/** Time is virtual: a task takes some of it as well, so what happens on time happens within seconds of it. */
const ON_TIME = 10 * SECOND;

/** Before the workflow was set back. */
const EARLIER = '2026-01-01T00:00:00.000Z';

/** Stands for an error that the record refuses. */
const UNRECORDABLE = 'Unrecordable';

type Attempt = Parameters<TaskPort['runTask']>[0] & { at: number };

describe.skipIf(!hasTestServer)('a task in virtual time, under the default settings', () => {
  let environment: TestWorkflowEnvironment;
  const workers: Array<{ worker: Worker; running: Promise<void> }> = [];
  const taskQueue = `virtual-${randomUUID()}`;
  const scripts = new Map<string, (attempt: Attempt) => Promise<unknown>>();
  const attempts = new Map<string, Attempt[]>();
  const told = new Map<string, TaskEvent[]>();

  beforeAll(async () => {
    environment = await startTestServer();
    const recording: Pick<RecordPort & CallbackRecordPort, 'appendTaskEvent' | 'findTaskEnd' | 'listCallbackTargets'> =
      {
        listCallbackTargets: async () => [],
        async findTaskEnd({ task_id }) {
          const end = told.get(task_id)!.find(({ dedupe_key }) => dedupe_key === ENDED);
          switch (end?.type) {
            case 'task_failed':
              return { outcome: { kind: 'failed', error: end.data.error, attempts: 1 }, dedupe_key: ENDED };
            case 'task_succeeded':
              return { outcome: { kind: 'succeeded', result: end.data.result }, dedupe_key: ENDED };
            default:
              return null;
          }
        },
        async appendTaskEvent({ task_id, event }) {
          if (event.type === 'task_failed' && event.data.error.type === UNRECORDABLE)
            throw toFailure(new NotRecordable('task_failed: error.type: Invalid input'));
          const events = told.get(task_id)!;
          const standing = events.find(({ dedupe_key }) => dedupe_key === event.dedupe_key);
          if (!standing) events.push(event);
          return { stands: (standing ?? event).occurred_at === event.occurred_at };
        },
      };
    const working: TaskPort = {
      async runTask(request) {
        const attempt = { ...request, at: await environment.currentTimeMs() };
        attempts.get(request.task_id)!.push(attempt);
        const result = await scripts.get(request.task_id)!(attempt);
        // The same says it to a task in Python.
        const worked = { result, kind: 'succeeded', version: PYTHON_PROTOCOL_VERSION };
        return worked;
      },
    };
    const connection = environment.nativeConnection;
    const created = await Promise.all([
      Worker.create({
        connection,
        taskQueue,
        workflowBundle: { codePath: await workflowBundle() },
        activities: recording,
      }),
      ...[taskQueueOf('content'), taskQueueOf('content', 'python')].map((queue) =>
        Worker.create({ connection, taskQueue: queue, activities: working }),
      ),
    ]);
    for (const worker of created) workers.push({ worker, running: worker.run() });
  });
  beforeEach(() => releaseTime(environment));
  afterAll(async () => {
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.map(({ running }) => running));
    await environment?.teardown();
  });

  async function start(
    script: (attempt: Attempt) => Promise<unknown>,
    change: Partial<TaskInput> | ((now: number) => Partial<TaskInput>) = {},
  ) {
    const id = randomUUID();
    const began = await environment.currentTimeMs();
    const input: TaskInput = {
      task_id: id,
      workflow_id: taskWorkflowId(id),
      fingerprint: 'f',
      caller: 'test',
      door: 'http',
      name: 'process_content',
      queue: 'content',
      args: ['c', ['embed']],
      kwargs: {},
      priority: null,
      eta: null,
      expires: null,
      soft_limit_ms: null,
      hard_limit_ms: null,
      root_id: null,
      parent_id: null,
      created_at: new Date(began).toISOString(),
      policy: taskPolicyOf(readSettings({})),
      ...(typeof change === 'function' ? change(began) : change),
    };
    scripts.set(id, script);
    attempts.set(id, []);
    told.set(id, [taskQueuedEvent(input)]);
    const handle = await environment.client.workflow.start<typeof taskRun>(TASK_WORKFLOW, {
      workflowId: input.workflow_id,
      taskQueue,
      args: [input],
    });
    return {
      handle,
      began,
      attempts: attempts.get(id)!,
      /** Lets time pass until the workflow is closed: the state that was told, how the workflow ended, and when. */
      async closed() {
        await handle.result().catch(() => {});
        const { status, closeTime } = await handle.describe();
        const state = told.get(id)!.reduce<Task | undefined>(evolveTask, undefined)!;
        return {
          ...state,
          workflow: status.name,
          at: closeTime!.getTime(),
          types: told.get(id)!.map(({ type }) => type),
        };
      },
    };
  }
  const isPaused = ({ handle }: Awaited<ReturnType<typeof start>>) =>
    eventually(async () => expect((await handle.query(taskStateQuery)).phase).toBe('waiting'));
  const fails =
    (error: Error = new Error('upstream 503')) =>
    async () => {
      throw attemptFailed(error, undefined);
    };

  it('waits for its eta of days without an attempt', async () => {
    const done = await start(
      async () => 'done',
      (now) => ({ eta: new Date(now + 3 * DAY).toISOString() }),
    );
    const closed = await done.closed();
    expect(closed).toMatchObject({ status: 'SUCCESS', result: 'done', workflow: 'COMPLETED' });
    expect(done.attempts).toHaveLength(1);
    expect(done.attempts[0]!.at - done.began).toBeGreaterThanOrEqual(3 * DAY);
    expect(done.attempts[0]!.at - done.began).toBeLessThan(3 * DAY + ON_TIME);
  });

  it('has 3 retries, 1 s apart and doubling, each with up to a quarter of jitter, and ends its workflow as failed', async () => {
    const failed = await start(fails());
    expect(await failed.closed()).toMatchObject({
      status: 'FAILURE',
      retries: 3,
      dead_lettered: true,
      workflow: 'FAILED',
    });
    expect(failed.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    for (const [index, { at }] of failed.attempts.slice(1).entries()) {
      const gap = at - failed.attempts[index]!.at;
      const least = SECOND * 2 ** index;
      expect(gap).toBeGreaterThanOrEqual(least);
      expect(gap).toBeLessThan(least * 1.25 + ON_TIME);
    }
  });

  it('waits as long as it is told, and hands on how far it was', async () => {
    const quota = new RetryableTaskError({
      type: 'QuotaError',
      message: 'none left',
      retryAfterMs: HOUR,
      counted: false,
    });
    const waited = await start(async ({ attempt, progress }) => {
      if (attempt <= 7) throw attemptFailed(quota, { waited: attempt });
      return progress;
    });
    expect(await waited.closed()).toMatchObject({ status: 'SUCCESS', retries: 0, result: { waited: 7 } });
    expect(waited.attempts.at(-1)!.at - waited.began).toBeGreaterThanOrEqual(7 * HOUR);
  });

  it.each([['5000'], [1e17], [-1e17]])('waits as long as it can where the worker says %j', async (after_ms) => {
    const asked = await start(async ({ attempt }) => {
      if (attempt > 1) return 'done';
      const failed = { error: { type: 'Busy', message: 'm', traceback: null }, retry: { after_ms, counted: true } };
      throw ApplicationFailure.create({ type: ATTEMPT_FAILED, nonRetryable: true, details: [failed] });
    });
    if (after_ms === 1e17) {
      await isPaused(asked);
      await asked.handle.signal(revokeSignal, { by: 'me', reason: 'revoked' });
    }
    expect((await asked.closed()).status).toBe(after_ms === 1e17 ? 'REVOKED' : 'SUCCESS');
  });

  it('fails where the record can never hold how its attempt failed', async () => {
    const failed = await start(async () => {
      throw attemptFailed(new PermanentTaskError({ type: UNRECORDABLE, message: 'm' }), undefined);
    });
    expect(await failed.closed()).toMatchObject({
      status: 'FAILURE',
      error: { type: 'NotRecordable' },
      workflow: 'FAILED',
    });
  });

  it('is a dead letter also where its worker was lost right after it recorded the failure', async () => {
    const failed = await start(async ({ task_id, attempt }) => {
      const error = { type: 'ValueError', message: 'm', traceback: null };
      told.get(task_id)!.push(
        { type: 'task_received', data: {}, occurred_at: EARLIER, dedupe_key: 'received' },
        // What an earlier try of the next workflow task recorded.
        { type: 'task_failed', data: { error }, occurred_at: EARLIER, dedupe_key: ENDED },
      );
      throw attemptFailed(new PermanentTaskError({ type: 'ValueError', message: `m ${attempt}` }), undefined);
    });
    const closed = await failed.closed();
    expect(closed).toMatchObject({
      status: 'FAILURE',
      dead_lettered: true,
      reason: 'ValueError: m',
      workflow: 'FAILED',
    });
    expect(closed.types.slice(-2)).toEqual(['task_failed', 'task_dead_lettered']);
  });

  it('is not worked on again in Python if the record has its end, and Temporal lost what it knew of the attempt', async () => {
    let begun = 0;
    const recorded = await start(
      async ({ task_id }) => {
        const past = (event: object) => ({ ...event, occurred_at: EARLIER }) as TaskEvent;
        told
          .get(task_id)!
          .push(
            past({ type: 'task_started', data: { attempt: 1, worker: 'w' }, dedupe_key: 'attempt:1:1:started' }),
            past({ type: 'task_succeeded', data: { result: 'once' }, dedupe_key: ENDED }),
          );
        const { workflow } = environment.client;
        const begins = { version: PYTHON_PROTOCOL_VERSION, attempt: 1, nth: 1, worker: 'w' };
        try {
          await workflow.getHandle(taskWorkflowId(task_id)).executeUpdate(beginUpdate, { args: [begins] });
        } catch (error) {
          throw ApplicationFailure.nonRetryable(String(error));
        }
        begun += 1;
        return 'twice';
      },
      { runtime: 'python' },
    );
    expect(await recorded.closed()).toMatchObject({ status: 'SUCCESS', result: 'once', workflow: 'COMPLETED' });
    expect(begun).toBe(0);
  });

  it('is repeated by Temporal where its worker was lost, which is no retry', async () => {
    let lost = 0;
    const repeated = await start(async () => {
      lost += 1;
      if (lost <= 5) throw ApplicationFailure.create({ type: 'DatabaseError', message: 'away' });
      return 'done';
    });
    const closed = await repeated.closed();
    expect(closed).toMatchObject({ status: 'SUCCESS', retries: 0 });
    expect(closed.types).not.toContain('task_retried');
    expect(repeated.attempts.map(({ attempt }) => attempt)).toEqual(Array(6).fill(1));
  });

  it('expires while it waits for its eta, and ends its workflow as failed', async () => {
    const expired = await start(
      async () => 'never',
      (now) => ({ eta: new Date(now + 2 * HOUR).toISOString(), expires: new Date(now + HOUR).toISOString() }),
    );
    const closed = await expired.closed();
    expect(closed).toMatchObject({ status: 'REVOKED', reason: 'expired', workflow: 'FAILED' });
    expect(expired.attempts).toHaveLength(0);
  });

  it.each<[said: unknown[], reason: string, by: string]>([
    [[], 'revoked', 'operator'],
    [[null], 'revoked', 'operator'],
    [['me'], 'revoked', 'operator'],
    [[{ by: 5, reason: 'terminated' }], 'terminated', 'operator'],
    [[{ by: 'me', reason: 'no longer needed' }], 'revoked', 'me'],
  ])('is revoked by a signal with %j, which somebody typed', async (said, reason, by) => {
    const revoked = await start(fails(new RetryableTaskError({ message: 'later', retryAfterMs: 30 * DAY })));
    await isPaused(revoked);
    await revoked.handle.signal('revoke', ...said);
    expect(await revoked.closed()).toMatchObject({ status: 'REVOKED', reason, workflow: 'FAILED' });
    expect(told.get((await revoked.handle.describe()).workflowId.slice(5))!.at(-1)).toMatchObject({
      data: { by, reason },
    });
  });

  it.each([
    ['progress', []],
    ['progress', [null]],
    ['replacement', []],
    ['replacement', [null]],
    ['replacement', [{ nesting: 1 }]],
  ])('goes on in Python after the signal %s with %j, which somebody typed', async (signal, said) => {
    const typed = await start(
      async ({ task_id }) => {
        await environment.client.workflow.getHandle(taskWorkflowId(task_id)).signal(signal, ...said);
        return 'done';
      },
      { runtime: 'python' },
    );
    expect(await typed.closed()).toMatchObject({ status: 'SUCCESS', result: 'done', workflow: 'COMPLETED' });
  });

  it.each([
    ['our signal', 'revoked', 'me'],
    ['Temporal', 'terminated', 'temporal'],
  ])('is revoked by %s in a pause, without another attempt', async (how, reason, by) => {
    const long = new RetryableTaskError({ type: 'QuotaError', message: 'none left', retryAfterMs: 30 * DAY });
    const revoked = await start(fails(long));
    await environment.sleep(DAY);
    if (how === 'Temporal') await revoked.handle.cancel();
    else await revoked.handle.signal(revokeSignal, { by, reason: 'revoked' });
    const closed = await revoked.closed();
    expect(closed).toMatchObject({ status: 'REVOKED', reason, workflow: 'FAILED' });
    expect(closed.at - revoked.began).toBeLessThan(2 * DAY);
    expect(revoked.attempts).toHaveLength(1);
  });
});
