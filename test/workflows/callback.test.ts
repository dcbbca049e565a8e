import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallbackEvent } from '../../src/contracts/endings/callback.ts';
import {
  CALLBACK_WORKFLOW,
  type CallbackInput,
  type CallbackOutcome,
  callbackWorkflowId,
} from '../../src/contracts/endings/callback-workflow.ts';
import { CALLBACK_TASK_QUEUE } from '../../src/contracts/tasks/task-queues.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import type { callback } from '../../src/workflows/index.ts';
import type { CallbackPort, CallbackRecordPort } from '../../src/workflows/ports/callback.ts';
import { eventually } from '../world/eventually.ts';
import { hasTestServer, releaseTime, startTestServer } from '../world/test-server.ts';
import '../world/temporal-runtime.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Time is virtual: a task takes some of it as well, so what happens on time happens within seconds of it. */
const ON_TIME = 10 * SECOND;

const delivered: CallbackOutcome = { kind: 'delivered', status: 200 };
const failed: CallbackOutcome = { kind: 'failed', status: 500, reason: 'answered with 500', wait_ms: 0 };
const early: CallbackOutcome = { kind: 'early', status: 409, reason: 'not yet' };
const gone: CallbackOutcome = { kind: 'final', status: 410, reason: 'gone' };

interface Try {
  at: number;
  webhook_id: string;
  body: string;
}

describe.skipIf(!hasTestServer)('a callback in virtual time', () => {
  let environment: TestWorkflowEnvironment;
  let workers: Array<{ worker: Worker; running: Promise<void> }>;
  const taskQueue = `virtual-${randomUUID()}`;
  /** What becomes of the tries of each subject; the last entry stands for all that come after. */
  const scripts = new Map<string, Array<CallbackOutcome | 'worker lost'>>();
  const tries = new Map<string, Try[]>();
  const told = new Map<string, CallbackEvent[]>();
  let recordAway = 0;

  beforeAll(async () => {
    environment = await startTestServer();
    const sending: CallbackPort = {
      async composeCallback({ subject, ending }) {
        // Another body each time it is asked for: only one that is kept is equal over the tries.
        return { webhook_id: `msg_${subject}_${ending}`, body: JSON.stringify({ made: randomUUID() }) };
      },
      async sendCallback({ subject, webhook_id, body }) {
        const made = tries.get(subject)!;
        made.push({ at: await environment.currentTimeMs(), webhook_id, body });
        const script = scripts.get(subject)!;
        const outcome = script[made.length - 1] ?? script.at(-1)!;
        if (outcome !== 'worker lost') return outcome;
        await environment.sleep(5 * MINUTE);
        return delivered;
      },
    };
    const recording: Pick<CallbackRecordPort, 'appendCallbackEvent'> = {
      async appendCallbackEvent({ subject, event }) {
        if (recordAway-- > 0) throw new Error('the database is away');
        const events = told.get(subject)!;
        if (!events.some(({ dedupe_key }) => dedupe_key === event.dedupe_key)) events.push(event);
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
      Worker.create({ connection, taskQueue: CALLBACK_TASK_QUEUE, activities: sending }),
    ]);
    workers = created.map((worker) => ({ worker, running: worker.run() }));
  });
  beforeEach(() => releaseTime(environment));
  afterAll(async () => {
    for (const { worker } of workers ?? []) worker.shutdown();
    await Promise.all((workers ?? []).map(({ running }) => running));
    await environment?.teardown();
  });

  /** Begins the callback of a subject of its own. */
  async function begin(...script: Array<CallbackOutcome | 'worker lost'>) {
    const input: CallbackInput = { subject: `thing:${randomUUID()}`, ending: 'completed' };
    scripts.set(input.subject, script);
    tries.set(input.subject, []);
    told.set(input.subject, []);
    const handle = await environment.client.workflow.start<typeof callback>(CALLBACK_WORKFLOW, {
      workflowId: callbackWorkflowId(input),
      taskQueue,
      args: [input],
    });
    return {
      handle,
      tries: tries.get(input.subject)!,
      events: told.get(input.subject)!,
      /** Pauses between the tries. */
      pauses: () =>
        tries
          .get(input.subject)!
          .map(({ at }, n, all) => at - (all[n - 1]?.at ?? at))
          .slice(1),
    };
  }

  it('is tried at once, then after 1, 2, 5, 15, 60 s, 5 min, 30 min, 2 h and on, until three days are over', async () => {
    const { handle, tries, events, pauses } = await begin(failed);
    expect(await handle.result()).toMatchObject({ delivered: false, attempts: tries.length });
    const expected = [1, 2, 5, 15, 60, 300, 1_800, 7_200, 14_400, 28_800].map((seconds) => seconds * SECOND);
    for (const [n, least] of expected.entries()) {
      expect(pauses()[n]).toBeGreaterThanOrEqual(least);
      expect(pauses()[n]).toBeLessThan(least * 1.25 + ON_TIME);
    }
    const lasted = tries.at(-1)!.at - tries[0]!.at;
    expect(lasted).toBeGreaterThanOrEqual(72 * HOUR - ON_TIME);
    expect(lasted).toBeLessThan(72 * HOUR + ON_TIME * tries.length);
    // Every try has its event, which says when the next one is due; the last says that there is none.
    expect(events.map(({ data }) => data.attempt)).toEqual(tries.map((_, n) => n + 1));
    for (const [n, event] of events.slice(0, -1).entries()) {
      const due = Date.parse((event.data as { next_at: string }).next_at);
      expect(Math.abs(tries[n + 1]!.at - due)).toBeLessThan(ON_TIME);
    }
    expect(events.at(-1)).toMatchObject({ type: 'callback_failed', data: { next_at: null } });
  });

  it('sends the same body under the same webhook-id at every try, and stops at a 2xx', async () => {
    const { handle, tries, events } = await begin(failed, failed, failed, delivered);
    const { webhook_id } = await handle.result();
    expect(tries).toHaveLength(4);
    expect(new Set(tries.map(({ body }) => body)).size).toBe(1);
    expect(new Set(tries.map((one) => one.webhook_id))).toEqual(new Set([webhook_id]));
    expect(events.map(({ type }) => type)).toEqual([...Array(3).fill('callback_failed'), 'callback_delivered']);
  });

  it('stops where the receiver is gone', async () => {
    const { handle, tries, events } = await begin(failed, gone);
    expect(await handle.result()).toMatchObject({ delivered: false, attempts: 2 });
    expect(tries).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ data: { status: 410, reason: 'gone', next_at: null } });
  });

  it('waits as long as the receiver asks', async () => {
    const { handle, pauses } = await begin({ ...failed, wait_ms: 7 * HOUR }, delivered);
    await handle.result();
    expect(pauses()[0]).toBeGreaterThanOrEqual(7 * HOUR);
    expect(pauses()[0]).toBeLessThan(7 * HOUR + ON_TIME);
  });

  it('asks soon again where a receiver that was away for hours is only not ready yet', async () => {
    const { handle, pauses } = await begin(...Array(8).fill(failed), early, early, delivered);
    await handle.result();
    expect(pauses()[7]).toBeGreaterThanOrEqual(2 * HOUR);
    expect(pauses()[8]).toBeLessThan(1.25 * SECOND + ON_TIME);
    expect(pauses()[9]).toBeLessThan(2.5 * SECOND + ON_TIME);
  });

  it('is tried again where its worker was lost with the answer out', async () => {
    const { handle, tries, events } = await begin('worker lost', delivered);
    expect(await handle.result()).toMatchObject({ delivered: true, attempts: 2 });
    expect(tries[1]?.webhook_id).toBe(tries[0]?.webhook_id);
    expect(events[0]).toMatchObject({ data: { status: null, reason: expect.stringContaining('cut off') } });
  });

  it('is sent once where the database is away as it is recorded', async () => {
    recordAway = 5;
    const { handle, tries, events } = await begin(delivered);
    expect(await handle.result()).toMatchObject({ delivered: true, attempts: 1 });
    expect(tries).toHaveLength(1);
    expect(events).toHaveLength(1);
  });

  it('ends when an operator cancels its workflow, and the record says so', async () => {
    const { handle, tries, events } = await begin(failed);
    await eventually(async () => {
      await environment.sleep(MINUTE);
      expect(events.length).toBeGreaterThan(4);
    });
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ delivered: false });
    expect(events.at(-1)).toMatchObject({ data: { reason: 'stopped by an operator', next_at: null } });
    expect(tries.length).toBeLessThan(10);
  });
});
