import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENDED_TASK_STATUSES } from '../../src/contracts/tasks/task.ts';
import {
  TASK_EVENT_TYPES,
  type TaskEvent,
  type TaskEventType,
  taskEventData,
} from '../../src/contracts/tasks/task-event.ts';
import { IllegalEvent } from '../../src/domain/record/illegal-event.ts';
import { evolveTask, type Task } from '../../src/domain/tasks/task.ts';
import {
  naturalTaskId,
  readArguments,
  taskFingerprint,
  temporalPriority,
} from '../../src/domain/tasks/task-request.ts';

const AT = '2026-11-22T10:00:00.000Z';
const ERROR = { type: 'ValueError', message: 'boom', traceback: null };

const LIMITS = { soft_limit_ms: 1_000, hard_limit_ms: null };

const SAMPLES: { [Type in TaskEventType]: Extract<TaskEvent, { type: Type }>['data'] } = {
  task_queued: {
    task_id: 't',
    workflow_id: 'task-t',
    fingerprint: 'f',
    caller: 'local',
    door: 'http',
    name: 'process_content',
    queue: 'content',
    args: ['c', ['embed']],
    kwargs: {},
    priority: null,
    eta: null,
    expires: null,
    soft_limit_ms: null,
    hard_limit_ms: 60_000,
    callback_origin: null,
    root_id: null,
    parent_id: null,
  },
  task_received: {},
  task_started: { attempt: 1, worker: 'w' },
  task_progressed: { attempt: 1, state: 'PROGRESS', meta: { done: 1 } },
  task_retried: { attempt: 1, counted: true, error: ERROR, retry_at: AT },
  task_succeeded: { result: { embed: 'completed' } },
  task_failed: { error: ERROR },
  task_revoked: { reason: 'revoked', by: 'me' },
  task_dead_lettered: { reason: 'ValueError: boom', attempts: 4 },
  dead_letter_discarded: { by: 'me' },
  task_redriven: { redrive: 1, by: 'me', redrive_id: 'r', args: ['d', ['embed']], kwargs: {}, ...LIMITS },
  task_recovered: { reason: 'workflow_lost', by: 'reconciliation', detail: 'started again' },
  callback_delivered: { webhook_id: 'msg', attempt: 1, status: 200 },
  callback_failed: { webhook_id: 'msg', attempt: 1, status: null, reason: 'no', next_at: null },
  task_erased: { by: 'me' },
};

function event(type: TaskEventType, data: object = {}): TaskEvent {
  return { type, data: { ...SAMPLES[type], ...data }, occurred_at: AT, dedupe_key: type } as TaskEvent;
}
const told = (...types: TaskEventType[]) =>
  types.map((type) => event(type)).reduce<Task | undefined>(evolveTask, undefined) as Task;

describe('the state of a task', () => {
  it('has a sample of every event that its schema takes', () => {
    for (const type of TASK_EVENT_TYPES) expect(taskEventData[type].parse(SAMPLES[type])).toEqual(SAMPLES[type]);
  });

  it('goes PENDING, STARTED, RETRY, STARTED, SUCCESS', () => {
    const statuses = (['task_received', 'task_started', 'task_retried', 'task_started', 'task_succeeded'] as const).map(
      (_, index, types) => told('task_queued', ...types.slice(0, index + 1)).status,
    );
    expect(statuses).toEqual(['PENDING', 'STARTED', 'RETRY', 'STARTED', 'SUCCESS']);
    expect(told('task_queued', 'task_started', 'task_retried', 'task_started', 'task_succeeded')).toMatchObject({
      attempts: 2,
      retries: 1,
      error: null,
      result: { embed: 'completed' },
      completed_at: AT,
    });
  });

  it('begins with being queued and is left by a redrive alone, whatever is told', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...TASK_EVENT_TYPES), { maxLength: 30 }), (types) => {
        let task: Task | undefined;
        for (const type of types) {
          const before: Task | undefined = task;
          try {
            task = evolveTask(task, event(type));
          } catch (error) {
            expect(error).toBeInstanceOf(IllegalEvent);
            continue;
          }
          if (!before) expect(type).toBe('task_queued');
          expect(task.completed_at !== null).toBe(ENDED_TASK_STATUSES.includes(task.status));
          if (!before?.completed_at) continue;
          if (before.erased_at !== null) expect(type).not.toBe('task_redriven');
          if (type === 'task_redriven') expect([before.status, task.status]).not.toContain('SUCCESS');
          else if (type === 'task_erased') expect([task.status, task.result]).toEqual([before.status, null]);
          else expect([task.status, task.result]).toEqual([before.status, before.result]);
        }
      }),
    );
  });

  it('shows what a running task says of itself, until it runs no longer', () => {
    const running = told('task_queued', 'task_started', 'task_progressed');
    expect(running).toMatchObject({ status: 'STARTED', progress: { state: 'PROGRESS', meta: { done: 1 } } });
    for (const type of ['task_retried', 'task_succeeded', 'task_failed', 'task_revoked', 'task_started'] as const) {
      expect(evolveTask(running, event(type)).progress).toBeNull();
    }
  });

  it('goes on with the arguments that a retry changed', () => {
    const running = told('task_queued', 'task_started');
    const changed = { args: ['e'], kwargs: { operations: [] } };
    expect(evolveTask(running, event('task_retried', changed))).toMatchObject({ status: 'RETRY', ...changed });
  });

  it('takes the arguments of who asks again, and counts retries anew', () => {
    const failed = told('task_queued', 'task_started', 'task_retried', 'task_started', 'task_failed');
    expect(evolveTask(failed, event('task_redriven'))).toMatchObject({
      status: 'PENDING',
      args: ['d', ['embed']],
      retries: 0,
      redrives: 1,
      attempts: 2,
      error: null,
      completed_at: null,
    });
  });
});

describe('two requests', () => {
  const read = (args: unknown[], kwargs: Record<string, unknown> = {}) => {
    const read = readArguments('semantic_search', args, kwargs);
    if ('faults' in read) throw new Error(JSON.stringify(read.faults));
    return taskFingerprint('semantic_search', read.arguments);
  };

  it('are the same however their arguments are given', () => {
    expect(new Set([read(['a']), read(['a', 10]), read([], { limit: 10, query: 'a' })]).size).toBe(1);
    expect(new Set([read(['a']), read(['b']), read(['a', 9])]).size).toBe(3);
  });

  it.each(['', ' ', '\n\t\u3000'])('of a video need a transcript with text, if any: %j', (transcript_text) => {
    expect(readArguments('ingest_youtube', ['dQw4w9WgXcQ'], { transcript_text })).toMatchObject({
      faults: [{ path: 'kwargs.transcript_text', message: 'must have text' }],
    });
  });

  it('for one video have one id, whoever is called back', () => {
    const idOf = (url: string) => naturalTaskId('ingest_youtube', { url, priority: false });
    const id = idOf('https://youtu.be/dQw4w9WgXcQ');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(idOf('https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1')).toBe(id);
    expect(idOf('https://youtu.be/dQw4w9WgXcR')).not.toBe(id);
    const called = { url: 'dQw4w9WgXcQ', callback_url: 'https://a.example/', priority: false };
    expect(naturalTaskId('ingest_youtube_with_callback', called)).toBe(id);
    expect(naturalTaskId('semantic_search', { query: 'a', limit: 1 })).toBeUndefined();
  });
});

it('maps Celery’s priorities, the highest first, to Temporal’s, the lowest first', () => {
  expect(Array.from({ length: 10 }, (_, priority) => temporalPriority(priority))).toEqual([
    5, 5, 4, 4, 3, 3, 2, 2, 1, 1,
  ]);
  expect(temporalPriority(null)).toBe(3);
});
