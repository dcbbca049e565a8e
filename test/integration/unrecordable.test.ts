import { WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_WORKFLOW, type TaskInput } from '../../src/contracts/tasks/task-workflow.ts';
import { databaseFault } from '../../src/store/database.ts';
import { appendEvent } from '../../src/store/record/event-append.ts';
import { TASKS } from '../../src/store/tasks/task-stream.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';

const input: TaskInput = {
  task_id: 'unrecordable',
  workflow_id: 'task-unrecordable',
  fingerprint: 'f'.repeat(64),
  caller: 'local',
  door: 'http',
  name: 'semantic_search',
  queue: 'search',
  args: ['x'],
  kwargs: {},
  priority: null,
  // No door takes it; JavaScript writes the year 10000 so, and Postgres does not read it.
  eta: '+010000-01-01T00:00:00.000Z',
  expires: null,
  soft_limit_ms: null,
  hard_limit_ms: null,
  root_id: null,
  parent_id: null,
  created_at: '2026-11-21T10:00:00.000Z',
  policy: { max_retries: 0, retry_delay_ms: 0, soft_limit_ms: 1_000, hard_limit_ms: 1_000 },
};

describe('an event that the record can never hold', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  it('ends its workflow with the words of the database, instead of being tried for ever', async () => {
    const handle = await world.client.workflow.start(TASK_WORKFLOW, {
      taskQueue: 'hapax-workflows',
      workflowId: input.workflow_id,
      args: [input],
    });
    const failure = await handle.result().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const { cause } = failure as WorkflowFailedError;
    expect(cause).toBeInstanceOf(ActivityFailure);
    expect(cause?.cause).toMatchObject({
      type: 'NotRecordable',
      nonRetryable: true,
      message: expect.stringMatching(/^Postgres: .*\+010000-01-01/),
    });
  });
});

describe.each(DATABASES)('on the %s Postgres', (kind) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase(kind);
  });
  afterAll(() => database.close());

  const { workflow_id, fingerprint, caller, door, name, queue, kwargs, priority } = input;
  const told = { workflow_id, fingerprint, caller, door, name, queue, kwargs, priority };
  const queued = (task_id: string, args: unknown[], eta: string | null) =>
    appendEvent(database.db, TASKS, task_id, {
      type: 'task_queued',
      data: {
        ...told,
        ...{ task_id, args, eta, expires: null, soft_limit_ms: null, hard_limit_ms: null },
        ...{ callback_origin: null, root_id: null, parent_id: null },
      },
      occurred_at: input.created_at,
      dedupe_key: 'queued',
    });

  it.each(['+010000-01-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z', '2026-11-21T10:00:00+16:00'])(
    'a time that it cannot hold (%s) is a fault of the values',
    async (eta) => {
      const error = await queued('a', [], eta).catch((thrown: unknown) => thrown);
      expect(databaseFault(error)?.kind).toBe('values');
    },
  );

  it('text with NUL or half of a surrogate pair is recorded with U+FFFD in its place', async () => {
    const { event, state } = await queued('b', ['a\u0000b', '\ud83d'], null);
    expect([event.data.args, state?.args]).toEqual([
      ['a\ufffdb', '\ufffd'],
      ['a\ufffdb', '\ufffd'],
    ]);
  });
});
