import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { measureOutgoing } from '../../commands/callbacks/measure-outgoing.ts';
import type { TaskTypes } from '../../commands/tasks/task-types.ts';
import { isPolling, listPollers } from '../../commands/workers/list-pollers.ts';
import { queues } from '../../contracts/tasks/queue.ts';
import { WORKFLOW_QUEUE } from '../../contracts/tasks/task-queues.ts';
import type { Db } from '../../store/database.ts';
import { measureQueues } from '../../store/tasks/queue-measure.ts';
import { listPausedQueues, type QueuePause } from '../../store/tasks/queue-pause-list.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/queues',
  operationId: 'listQueues',
  ...needs('read', 'handler'),
  tags: ['queues'],
  summary: 'List queues: what waits, what runs, and how many workers there are',
  description:
    '`builds` (run by the workers of the queue `workflows`) and the queues of tasks. A task that waits for its eta counts as not started. `callbacks` and `bridge` (replies to messages): `in_flight` counts pending callbacks or replies; `depth` is about how many of their attempts wait for a worker.',
  responses: { 200: jsonResponse('The queues', queues), ...problems('temporal_unavailable', 'database_unavailable') },
});

export function getQueues(api: Api, { db, client, taskTypes }: { db: Db; client: Client; taskTypes: TaskTypes }): void {
  api.openapi(route, async (c) => {
    const known = await taskTypes.queues();
    const [measured, outgoing, paused] = await Promise.all([
      measureQueues(db),
      measureOutgoing(client),
      listPausedQueues(db),
    ]);
    const pauseOf = new Map<string, QueuePause>(paused.map((pause) => [pause.queue, pause]));
    const { reach } = c.var.principal;
    const all = [...measured, ...outgoing];
    const reached = reach ? all.filter(({ name }) => reach.queues.includes(name)) : all;
    const found = await Promise.all(
      reached.map(async ({ name, depth, oldestAgeSeconds, inFlight }) => {
        const pollers = (await listPollers(client, workedOnBy(name), known.get(name))).filter(isPolling).length;
        const pause = pauseOf.get(name);
        return {
          ...{ name, depth, oldest_age_seconds: oldestAgeSeconds, in_flight: inFlight, pollers },
          paused: pause ? { by: pause.by, since: pause.since } : null,
        };
      }),
    );
    return c.json(found, 200);
  });
}

/** Returns the queue whose workers serve a queue: builds run on the workers of workflows. */
function workedOnBy(queue: string): string {
  return queue === 'builds' ? WORKFLOW_QUEUE : queue;
}
