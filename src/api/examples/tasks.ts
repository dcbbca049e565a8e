import type { OperationExamples } from './apply.ts';
import { build, deadBuild, event } from './builds.ts';

const ID = '750f939b-c84e-4618-8580-0487dbf33509';

const task = {
  task_id: ID,
  status: 'SUCCESS',
  name: 'semantic_search',
  queue: 'search',
  retries: 0,
  redrives: 0,
  priority: 5,
  eta: null,
  expires: null,
  worker: '4711@worker-1',
  error: null,
  reason: null,
  callback_origin: 'https://n8n.example.com',
  created_at: '2026-11-21T10:00:00.000Z',
  received_at: '2026-11-21T10:00:00.040Z',
  started_at: '2026-11-21T10:00:00.040Z',
  completed_at: '2026-11-21T10:00:00.095Z',
  erased_at: null,
};

const succeeded = {
  ...event,
  seq: 4,
  event_type: 'task_succeeded',
  from_status: 'STARTED',
  to_status: 'SUCCESS',
  event_data: { result: { query: 'harbour', results: [] } },
  timestamp: task.completed_at,
  recorded_at: task.completed_at,
  dedupe_key: 'ended',
};

const letter = { id: 'build:11', reason: deadBuild.reason, needs_attention: false, kind: 'build', build: deadBuild };

const causes = {
  count: 1,
  exact: true,
  causes: [
    {
      kind: 'build',
      cause: 'dispatch_rejected',
      count: 1,
      oldest_at: build.created_at,
      newest_at: build.created_at,
      reason: deadBuild.reason,
    },
  ],
};

const taskType = {
  ...{ name: 'mail.send', queue: 'mail', runtime: 'typescript', doc: 'Sends a mail.', version: '1519a0b2e311f3f3' },
  parameters: [
    { name: 'to', kind: 'positional_or_keyword', required: true },
    { name: 'text', kind: 'positional_or_keyword', required: false, default: '""' },
  ],
  schema: {
    type: 'object',
    properties: { to: { type: 'string', format: 'email' }, text: { type: 'string', default: '' } },
    required: ['to'],
  },
  ...{ soft_time_limit: 30, time_limit: 60, max_retries: 5, retry_delay: null, rate_limit: '10/m', options: {} },
  first_registered_at: '2026-11-21T09:00:00.000Z',
  last_registered_at: '2026-11-21T10:00:00.000Z',
  registered_by: '4711@worker-1',
  served_by: [{ identity: '4711@worker-1', last_seen_at: '2026-11-21T10:00:00.000Z' }],
};

export const TASK_EXAMPLES: Record<string, OperationExamples> = {
  listTaskTypes: { responses: { 200: [taskType] } },
  getTaskType: { responses: { 200: taskType } },
  createTask: {
    request: {
      name: 'semantic_search',
      args: ['harbour'],
      kwargs: { limit: 5 },
      callback_url: 'https://n8n.example.com/webhook-waiting/7',
    },
    responses: { 202: { task_id: ID, status: 'queued' } },
  },
  listTasks: { responses: { 200: { tasks: [task], next_cursor: null } } },
  getTask: {
    responses: {
      200: {
        ...task,
        result: { query: 'harbour', results: [] },
        progress: null,
        args: ['harbour'],
        kwargs: { limit: 5 },
        soft_time_limit: null,
        time_limit: null,
        workflow_id: `task-${ID}`,
        links: {
          self: `/tasks/${ID}`,
          events: `/tasks/${ID}/events`,
          workflow: `http://127.0.0.1:8233/namespaces/default/workflows/task-${ID}`,
        },
      },
    },
  },
  cancelTask: {
    request: {},
    responses: { 202: { task_id: ID, status: 'STARTED', message: 'Revocation requested' } },
  },
  retryTask: {
    request: {},
    responses: { 202: { task_id: ID, status: 'PENDING', message: 'Task queued again' } },
  },
  cancelTasks: {
    request: { queue: 'youtube', status: 'PENDING' },
    responses: {
      200: { count: 1, more: false, sample: [task] },
      202: { done: [ID], refused: [], more: false },
    },
  },
  retryTasks: {
    request: { name: 'ingest_youtube', status: 'FAILURE', dry_run: true },
    responses: {
      200: { count: 1, more: false, sample: [task] },
      202: { done: [ID], refused: [], more: false },
    },
  },
  listTaskEvents: { responses: { 200: [succeeded] } },
  ingestYoutube: {
    request: { url: 'https://youtu.be/dQw4w9WgXcQ' },
    responses: { 202: { task_id: ID, status: 'queued' } },
  },
  listDeadLetters: { responses: { 200: { dead_letters: [letter], next_cursor: null } } },
  countDeadLetters: { responses: { 200: causes } },
  getDeadLetter: { responses: { 200: { ...letter, events: [event] } } },
  redriveDeadLetter: { responses: { 202: { id: 11, status: 'queued', message: 'Build queued again' } } },
  redriveDeadLetters: {
    request: { kind: 'task', cause: 'ConnectionError', limit: 200 },
    responses: {
      200: { ...causes, sample: [letter] },
      202: { redriven: [`task:${ID}`], refused: [], next_cursor: null },
    },
  },
  discardDeadLetters: {
    request: { kind: 'build', until: '2026-11-01T00:00:00.000Z', dry_run: true },
    responses: { 200: { ...causes, sample: [letter] } },
  },
};
