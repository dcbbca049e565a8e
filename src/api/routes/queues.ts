import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { queues } from '../../contracts/queue.ts';
import { WORKFLOW_TASK_QUEUE } from '../../contracts/task-queues.ts';
import { countOpenBuilds } from '../../store/build-count-open.ts';
import type { Db } from '../../store/database.ts';
import { listPollers } from '../commands/list-pollers.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

/** A worker that is idle polls again after a minute, so one that was not seen for longer is gone. */
const POLLS_WITHIN_MS = 90_000;

const route = createRoute({
  method: 'get',
  path: '/queues',
  operationId: 'listQueues',
  tags: ['queues'],
  summary: 'What waits, what runs, and who works on it',
  description: `One queue today: \`builds\`, Temporal's task queue \`${WORKFLOW_TASK_QUEUE}\`.`,
  responses: {
    200: { description: 'The queues', content: { 'application/json': { schema: queues } } },
    ...problemResponses('temporal_unavailable', 'database_unavailable'),
  },
});

export function getQueues(api: Api, { db, client }: { db: Db; client: Client }): void {
  api.openapi(route, async (c) => {
    const [open, pollers] = await Promise.all([countOpenBuilds(db), listPollers(client)]);
    const since = Date.now() - POLLS_WITHIN_MS;
    const builds = {
      name: 'builds',
      depth: open.queued,
      oldest_age_seconds: open.oldestAgeSeconds,
      in_flight: open.inProgress,
      pollers: pollers.filter(({ lastSeenAt }) => lastSeenAt.getTime() > since).length,
    };
    return c.json([builds], 200);
  });
}
