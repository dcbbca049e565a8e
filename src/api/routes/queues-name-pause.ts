import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { queueNameParam, queuePauseAnswer } from '../../contracts/tasks/queue.ts';
import type { Db } from '../../store/database.ts';
import { measureQueues } from '../../store/tasks/queue-measure.ts';
import { listPausedQueues } from '../../store/tasks/queue-pause-list.ts';
import { saveQueuePause } from '../../store/tasks/queue-pause-save.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, NO_BODY_PROBLEMS, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const OPERATIONS = [
  {
    ...{ verb: 'pause', done: 'paused', summary: 'Pause a queue of tasks' },
    description:
      'Within two seconds, no worker takes a task from it. Tasks that run go on, and new ones are accepted and wait. It stays paused until it is resumed, over restarts. Builds cannot be paused.',
  },
  {
    ...{ verb: 'resume', done: 'resumed', summary: 'Resume a queue of tasks' },
    description: 'Workers take tasks from it again within two seconds.',
  },
] as const;

export function pauseQueues(api: Api, { db }: { db: Db }): void {
  for (const { verb, done, ...words } of OPERATIONS) {
    const route = createRoute({
      method: 'post',
      path: `/queues/{name}/${verb}`,
      operationId: `${verb}Queue`,
      ...needs('operate', 'queue'),
      tags: ['queues'],
      ...words,
      request: { params: queueNameParam },
      responses: {
        200: jsonResponse('How it is now', queuePauseAnswer),
        ...problems(...NO_BODY_PROBLEMS, 'not_found', 'database_unavailable'),
      },
    });
    api.openapi(route, async (c) => {
      const { name } = c.req.valid('param');
      const known = (await measureQueues(db)).some((queue) => queue.name === name);
      if (!known) throw notFound(`queue ${name}; one is there from its first task or worker on`);
      await saveQueuePause(db, name, verb === 'pause', c.var.caller);
      const pause = (await listPausedQueues(db)).find(({ queue }) => queue === name);
      c.var.log.info({ queue: name }, `queue ${done}`);
      return c.json({ name, paused: pause ? { by: pause.by, since: pause.since } : null }, 200);
    });
  }
}
