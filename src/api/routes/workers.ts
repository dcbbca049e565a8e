import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { listPollers } from '../../commands/workers/list-pollers.ts';
import { workers } from '../../contracts/tasks/queue.ts';
import { QUEUE_NAMES } from '../../contracts/tasks/task-queues.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/workers',
  operationId: 'listWorkers',
  tags: ['queues'],
  summary: 'List workers that polled for work in the last five minutes',
  responses: {
    200: { description: 'The workers', content: { 'application/json': { schema: workers } } },
    ...problemResponses('temporal_unavailable'),
  },
});

export function getWorkers(api: Api, client: Client): void {
  api.openapi(route, async (c) => {
    const seen = await Promise.all(
      QUEUE_NAMES.map(async (queue) =>
        (await listPollers(client, queue)).map(({ identity, lastSeenAt }) => ({
          identity,
          queue,
          last_seen_at: lastSeenAt.toISOString(),
        })),
      ),
    );
    return c.json(seen.flat(), 200);
  });
}
