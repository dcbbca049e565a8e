import { createRoute } from '@hono/zod-openapi';
import { invalidRequest } from '../../commands/refusal.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { queueHistory, queueHistoryQuery } from '../../contracts/tasks/queue.ts';
import { bucketFor, hasTooManyBuckets } from '../../domain/tasks/history-span.ts';
import type { Db } from '../../store/database.ts';
import { listQueueHistory } from '../../store/tasks/queue-history.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const DAY_MS = 86_400_000;

const route = createRoute({
  method: 'get',
  path: '/queues/history',
  operationId: 'listQueueHistory',
  ...needs('read'),
  tags: ['queues'],
  summary: 'Get the depth and age of queues over time, for charts',
  description:
    '`builds` and the queues of tasks, sampled once a minute while an API runs and kept for 30 days. A bucket has the highest of its samples. A time without samples has no bucket.',
  request: { query: queueHistoryQuery },
  responses: { 200: jsonResponse('The history', queueHistory), ...problems('invalid_request', 'database_unavailable') },
});

export function getQueueHistory(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const given = c.req.valid('query');
    const until = given.until ?? new Date().toISOString();
    const since = given.since ?? new Date(Date.parse(until) - DAY_MS).toISOString();
    const ms = Date.parse(until) - Date.parse(since);
    if (ms <= 0 || ms > LIMITS.history.days * DAY_MS) {
      const message = `must be before until, and at most ${LIMITS.history.days} days before it`;
      throw invalidRequest([{ path: 'query.since', message }]);
    }
    const bucketSeconds = given.bucket_seconds ?? bucketFor(ms);
    if (hasTooManyBuckets(ms, bucketSeconds)) {
      const message = `makes more than ${LIMITS.history.buckets} buckets of this time; use ${bucketFor(ms)}`;
      throw invalidRequest([{ path: 'query.bucket_seconds', message }]);
    }
    const buckets = await listQueueHistory(db, { since, until, bucketSeconds });
    const queues = [...Map.groupBy(buckets, ({ queue }) => queue)].map(([name, of]) => ({
      name,
      buckets: of.map(({ queue: _, ...bucket }) => bucket),
    }));
    return c.json({ since, until, bucket_seconds: bucketSeconds, queues }, 200);
  });
}
