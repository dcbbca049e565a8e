import type { OperationExamples } from './apply.ts';

const content = {
  content_id: 'yt:dQw4w9WgXcQ',
  type: 'youtube',
  url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
  title: 'A walk through the harbour',
  author: 'Harbour Films',
  language: 'en',
  published_at: '2026-10-01T12:00:00.000Z',
  tags: ['harbour'],
  version: 1,
  characters: 18_204,
  created_at: '2026-11-21T10:00:03.000Z',
  updated_at: '2026-11-21T10:00:03.000Z',
};

const usage = { units_used: 1_200, units_remaining: 8_800, percentage_used: 12 };
const ok = { status: 'ok', checked_at: '2026-11-21T10:00:00.000Z' };

/** A payload of Temporal: the text `"main"` as JSON. */
const payload = { metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'Im1haW4i' };

export const OPERATION_EXAMPLES: Record<string, OperationExamples> = {
  decodePayloads: { request: { payloads: [payload] }, responses: { 200: { payloads: [payload] } } },
  getYouTubeQuota: {
    responses: {
      200: { date: '2026-11-21', ...usage, priority_reserved: 1_000, resets_at: '2026-11-22T08:00:00.000Z' },
    },
  },
  listQuotaDays: {
    responses: {
      200: {
        daily_units: 10_000,
        priority_reserved: 1_000,
        resets_at: '2026-11-22T08:00:00.000Z',
        days: [
          { date: '2026-11-20', units_used: 0, units_remaining: 10_000, percentage_used: 0 },
          { date: '2026-11-21', ...usage },
        ],
      },
    },
  },
  searchContent: {
    request: { query: 'boats at dawn', limit: 5, tags: ['harbour'] },
    responses: {
      200: {
        query: 'boats at dawn',
        results: [
          {
            content_id: content.content_id,
            type: 'youtube',
            title: content.title,
            url: content.url,
            tags: ['harbour'],
            score: 0.032,
            snippet: 'Before the sun is up, the boats come in ...',
            matched_by: ['some_words', 'meaning'],
          },
        ],
        method: 'hybrid',
        model: 'nomic-embed-text',
      },
    },
  },
  listContent: { responses: { 200: { contents: [content], next_cursor: null } } },
  getContent: {
    responses: {
      200: {
        ...content,
        chunks: 24,
        embedded: [{ model: 'nomic-embed-text', chunks: 24 }],
        summaries: [{ model: 'llama3.2', text: 'A walk at dawn.', created_at: '2026-11-21T10:02:00.000Z' }],
      },
    },
  },
  listQueues: {
    responses: {
      200: [{ name: 'builds', depth: 3, oldest_age_seconds: 12.4, in_flight: 8, pollers: 2, paused: null }],
    },
  },
  pauseQueue: {
    responses: { 200: { name: 'youtube', paused: { by: 'ops', since: '2026-11-21T10:00:00.000Z' } } },
  },
  resumeQueue: { responses: { 200: { name: 'youtube', paused: null } } },
  listQueueHistory: {
    responses: {
      200: {
        since: '2026-11-20T10:00:00.000Z',
        until: '2026-11-21T10:00:00.000Z',
        bucket_seconds: 300,
        queues: [
          {
            name: 'builds',
            buckets: [
              { at: '2026-11-21T09:55:00.000Z', depth: 3, in_flight: 8, oldest_age_seconds: 12.4, accepted: 5 },
            ],
          },
        ],
      },
    },
  },
  listWorkers: {
    responses: {
      200: [{ identity: '4711@worker-1', queue: 'workflows', last_seen_at: '2026-11-21T10:00:00.000Z', present: true }],
    },
  },
  getHealth: {
    responses: {
      200: {
        status: 'ok',
        version: '0.1.0',
        reconciliation: { checked_at: '2026-11-21T09:30:00.000Z', differences: 0, unresolved: 0 },
        dependencies: { postgres: ok, temporal: ok, github: ok, workers: ok },
      },
    },
  },
  getLiveness: { responses: { 200: { status: 'ok' } } },
  getReadiness: {
    responses: { 200: { status: 'ok' }, 503: { status: 'unavailable', detail: 'the database does not answer' } },
  },
  getIndex: {
    responses: {
      200: { name: 'hapax', version: '0.1.0', docs: '/docs', openapi: '/openapi.json', health: '/health' },
    },
  },
};
