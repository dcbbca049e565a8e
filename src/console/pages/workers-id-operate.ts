import type { Context } from 'hono';
import { z } from 'zod';
import { Refusal } from '../../commands/refusal.ts';
import { tellWorker } from '../../commands/workers/tell-worker.ts';
import { queueName, taskTypeName } from '../../contracts/tasks/task-type.ts';
import { readRate } from '../../domain/tasks/rate.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { valid } from '../queries.ts';
import type { Console, ConsoleContext } from '../view.ts';
import { workerPath } from './queues.ts';
import { shutdownQuestion } from './workers-id.ts';

const seconds = z.preprocess(
  (text) => (text === '' || text === undefined ? null : Number(text)),
  z.number().positive().max(86_400).nullable(),
);
const consumeFields = z.object({ queue: queueName, on: z.enum(['yes', 'no']) });
const resizeFields = z.object({ by: z.coerce.number().int().min(-999).max(999) });
const rateFields = z.object({ task: taskTypeName, rate: z.string().trim().max(20) });
const limitFields = z.object({ task: taskTypeName, soft: seconds, hard: seconds });

/** Adds the operations on a worker, the same as Flower's. The worker forgets them when it stops. */
export function operateWorker(console: Console, { client, taskPolicy }: ConsoleDependencies): void {
  console.post('/workers/:identity/consume', needs('operate'), async (c) => {
    const { queue, on } = valid(consumeFields, await fieldsOf(c));
    await tellWorker(client, worker(c), 'consume', { queue, on: on === 'yes' });
    return done(c, on === 'yes' ? `It takes tasks of ${queue} again.` : `It takes no more tasks of ${queue}.`);
  });
  console.post('/workers/:identity/resize', needs('operate'), async (c) => {
    const { by } = valid(resizeFields, await fieldsOf(c));
    await tellWorker(client, worker(c), 'resize', { by });
    return done(
      c,
      `Each queue has ${Math.abs(by)} ${Math.abs(by) === 1 ? 'slot' : 'slots'} ${by < 0 ? 'fewer' : 'more'}.`,
    );
  });
  console.post('/workers/:identity/rate', needs('operate'), async (c) => {
    const { task, rate } = valid(rateFields, await fieldsOf(c));
    await tellWorker(client, worker(c), 'limitRate', { task, rate });
    const read = readRate(rate);
    const isRemoved = 'intervalMs' in read && read.intervalMs === 0;
    return done(c, isRemoved ? `The rate limit of ${task} is removed.` : `${task} is limited to ${rate}.`);
  });
  console.post('/workers/:identity/time-limit', needs('operate'), async (c) => {
    const { task, soft, hard } = valid(limitFields, await fieldsOf(c));
    const most = taskPolicy.hard_limit_ms;
    if (Math.max(soft ?? 0, hard ?? 0) * 1_000 > most) {
      const detail = `TASK_TIME_LIMIT sets the most there is: ${most / 1_000} s`;
      throw new Refusal('state_conflict', { detail });
    }
    await tellWorker(client, worker(c), 'limitTime', { task, soft_ms: ms(soft), hard_ms: ms(hard) });
    return done(c, `${task} has new time limits.`);
  });
  console.post('/workers/:identity/shutdown', needs('operate'), async (c) => {
    return confirmed(c, { question: shutdownQuestion(worker(c)), label: 'Shut it down' }, async () => {
      await tellWorker(client, worker(c), 'shutdown');
      c.var.log.warn({ worker: worker(c) }, 'worker told to shut down');
      return seeOther(c, 'queues', { tone: 'good', text: `Worker ${worker(c)} shuts down.` });
    });
  });
}

function ms(value: number | null): number | null {
  return value === null ? null : value * 1_000;
}

function worker(c: Context): string {
  return c.req.param('identity') ?? '';
}

function done(c: ConsoleContext, text: string): Response {
  c.var.log.info({ worker: worker(c) }, text);
  return seeOther(c, workerPath(worker(c)), { tone: 'good', text });
}
