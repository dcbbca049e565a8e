import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { isPolling } from '../../commands/workers/list-pollers.ts';
import { listServed } from '../../commands/workers/list-workers.ts';
import { workers } from '../../contracts/tasks/queue.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/workers',
  operationId: 'listWorkers',
  ...needs('read'),
  tags: ['queues'],
  summary: 'List workers that polled for work in the last five minutes',
  responses: { 200: jsonResponse('The workers', workers), ...problems('temporal_unavailable') },
});

export function getWorkers(api: Api, { client, taskTypes }: { client: Client; taskTypes: TaskTypes }): void {
  api.openapi(route, async (c) => {
    const served = await listServed(client, taskTypes);
    const seen = served.flatMap(({ queue, pollers }) =>
      pollers.map((poller) => ({
        ...{ identity: poller.identity, queue, last_seen_at: poller.lastSeenAt.toISOString() },
        present: isPolling(poller),
      })),
    );
    return c.json(seen, 200);
  });
}
