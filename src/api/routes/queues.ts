import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { measureTelling } from '../../commands/callbacks/measure-telling.ts';
import { isPolling, listPollers } from '../../commands/workers/list-pollers.ts';
import { queues } from '../../contracts/tasks/queue.ts';
import type { QueueName } from '../../contracts/tasks/task-queues.ts';
import type { Db } from '../../store/database.ts';
import { measureQueues } from '../../store/tasks/queue-measure.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/queues',
  operationId: 'listQueues',
  tags: ['queues'],
  summary: 'What waits, what runs, and who works on it',
  description:
    'Builds, which are worked on by the workers of the queue `workflows`, and the queues of tasks. A task that waits for its eta counts as not begun. Then what is told of endings: `callbacks` and, by the bridge, answers to messages (`bridge`). There `depth` counts the tries that no worker has taken yet, about, and `in_flight` the endings that somebody has still to be told of.',
  responses: {
    200: { description: 'The queues', content: { 'application/json': { schema: queues } } },
    ...problemResponses('temporal_unavailable', 'database_unavailable'),
  },
});

export function getQueues(api: Api, { db, client }: { db: Db; client: Client }): void {
  api.openapi(route, async (c) => {
    const measured = await Promise.all([measureQueues(db), measureTelling(client)]);
    const found = await Promise.all(
      measured.flat().map(async ({ name, depth, oldestAgeSeconds, inFlight }) => {
        const pollers = (await listPollers(client, workedOnBy(name))).filter(isPolling).length;
        return { name, depth, oldest_age_seconds: oldestAgeSeconds, in_flight: inFlight, pollers };
      }),
    );
    return c.json(found, 200);
  });
}

/** Who serves a queue: builds are worked on where the workflows are. */
function workedOnBy(queue: string): QueueName {
  return queue === 'builds' ? 'workflows' : (queue as QueueName);
}
