import { z } from 'zod';
import { integer } from '../setting-forms.ts';
import { WORKER_QUEUE_NAMES, type WorkerQueueName } from './task-queues.ts';

/** The words that Flower's options take. A word that means neither stops the start: it could leave a door open. */
export const truth = z
  .string()
  .trim()
  .regex(/^(y|yes|t|true|on|1|n|no|f|false|off|0)$/i, 'must be true or false')
  .transform((text) => /^(y|yes|t|true|on|1)$/i.test(text));

/** USER:PASSWORD pairs. */
const basicAuth = z.string().transform((text, context) => {
  const users = new Map<string, string>();
  for (const pair of text.split(',')) {
    // A password may contain colons.
    const [name, password] = pair.split(/:(.*)/s);
    if (name && users.has(name.trimStart())) {
      context.addIssue({
        code: 'custom',
        message: `names ${name.trimStart()} twice; give each user a name of its own`,
      });
      return z.NEVER;
    }
    if (!name || !password) {
      context.addIssue({ code: 'custom', message: 'must be USER:PASSWORD,USER:PASSWORD' });
      return z.NEVER;
    }
    users.set(name.trimStart(), password);
  }
  return users;
});

const WORKER_QUEUE = new RegExp(`^(${WORKER_QUEUE_NAMES.join('|')})(?::([1-9]\\d{0,2}))?$`);

/** Queues that a worker serves, each with its concurrency where one is given. */
export const workerQueues = z.string().transform((text, context) => {
  const queues = new Map<WorkerQueueName, number | undefined>();
  for (const part of text.split(',')) {
    const [, name, concurrency] = WORKER_QUEUE.exec(part.trim()) ?? [];
    if (name === undefined) {
      context.addIssue({
        code: 'custom',
        message: `"${part.trim()}" is not a queue; write some of ${WORKER_QUEUE_NAMES.join(', ')}, each with :NUMBER where its concurrency differs`,
      });
      return z.NEVER;
    }
    queues.set(name as WorkerQueueName, concurrency === undefined ? undefined : Number(concurrency));
  }
  return queues;
});

/** Settings of Flower's API, with the names that Flower has for them. */
export const flowerSettings = {
  FLOWER_PORT: integer(0, 65_535).optional().meta({
    description:
      'Port on HOST that serves only the Flower API and the console, for example 5555. The API serves both too, at /api and /console.',
  }),
  FLOWER_BASIC_AUTH: basicAuth.optional().meta({
    description:
      'USER:PASSWORD pairs, comma separated, for the Flower API. Not set: API_KEYS if there are any, otherwise open to programs on this machine.',
    secret: true,
  }),
  FLOWER_UNAUTHENTICATED_API: truth.default(false).meta({
    description: 'Opens the Flower API to everybody who can reach it, unless FLOWER_BASIC_AUTH is set.',
  }),
  FLOWER_READ_ONLY: truth.default(false).meta({ description: 'Makes the Flower API refuse every change.' }),
  FLOWER_URL_PREFIX: z
    .string()
    .transform((prefix) => prefix.replaceAll(/^\/+|\/+$/g, ''))
    .pipe(z.string().regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w./-]*$/, 'must be a path, for example flower'))
    .default('')
    .meta({ description: 'Path before the routes of the Flower API: with flower, /flower/api/tasks.' }),
};
