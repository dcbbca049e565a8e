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

const route = (verb: 'pause' | 'resume', summary: string, description: string) =>
  createRoute({
    method: 'post',
    path: `/queues/{name}/${verb}` as const,
    operationId: `${verb}Queue`,
    ...needs('operate', 'queue'),
    tags: ['queues'],
    summary,
    description,
    request: { params: queueNameParam },
    responses: {
      200: jsonResponse('How it is now', queuePauseAnswer),
      ...problems(...NO_BODY_PROBLEMS, 'not_found', 'database_unavailable'),
    },
  });

const pauseRoute = route(
  'pause',
  'Pause a queue of tasks',
  'Within two seconds, no worker takes a task from it. Tasks that run go on, and new ones are accepted and wait. It stays paused until it is resumed, over restarts. Builds cannot be paused.',
);
const resumeRoute = route('resume', 'Resume a queue of tasks', 'Workers take tasks from it again within two seconds.');

export function pauseQueues(api: Api, { db }: { db: Db }): void {
  const change = async (queue: string, paused: boolean, by: string) => {
    const known = (await measureQueues(db)).some(({ name }) => name === queue);
    if (!known) throw notFound(`queue ${queue}; one is there from its first task or worker on`);
    await saveQueuePause(db, queue, paused, by);
    const pause = (await listPausedQueues(db)).find((one) => one.queue === queue);
    return { name: queue, paused: pause ? { by: pause.by, since: pause.since } : null };
  };
  api.openapi(pauseRoute, async (c) => {
    const { name } = c.req.valid('param');
    const answer = await change(name, true, c.var.caller);
    c.var.log.info({ queue: name }, 'queue paused');
    return c.json(answer, 200);
  });
  api.openapi(resumeRoute, async (c) => {
    const { name } = c.req.valid('param');
    const answer = await change(name, false, c.var.caller);
    c.var.log.info({ queue: name }, 'queue resumed');
    return c.json(answer, 200);
  });
}
