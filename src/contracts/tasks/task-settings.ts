import { z } from 'zod';
import { duration, hosts, integer } from '../setting-forms.ts';
import { WORKFLOW_QUEUE } from './task-queues.ts';
import { queueName } from './task-type.ts';

/** The words that Flower's options accept. Any other word stops the start: ignoring it could leave an interface open. */
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

/** Settings of a queue that a worker serves. Undefined: the same as for other queues. */
export interface ServedQueue {
  concurrency: number | undefined;
  /** How many tasks may start in a second, on all workers together. */
  perSecond: number | undefined;
}

/** Stands for all queues that are not named. */
export const ALL_QUEUES = '*';

const WORKER_QUEUE = /^(.+?)(?::([1-9]\d{0,2}))?(?:@([^@]+))?$/;
const UNIT_SECONDS = { s: 1, m: 60, h: 3_600 } as const;

/** Queues that a worker serves, each with its concurrency and rate if they are given. */
const workerQueues = z.string().transform((text, context) => {
  const queues = new Map<string, ServedQueue>();
  for (const part of text.split(',')) {
    const [, name = '', concurrency, rate] = WORKER_QUEUE.exec(part.trim()) ?? [];
    const perSecond = rate === undefined ? undefined : readPerSecond(rate);
    const isName = name === WORKFLOW_QUEUE || name === ALL_QUEUES || queueName.safeParse(name).success;
    if (!isName || perSecond === null || (name === WORKFLOW_QUEUE && rate !== undefined)) {
      const message = isName
        ? `"${part.trim()}" has no rate of tasks; write it as in NAME:4@10/m, with /s, /m or /h`
        : `"${part.trim()}" is not a queue; write ${WORKFLOW_QUEUE}, * or names of queues, each with :NUMBER where its concurrency differs`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    queues.set(name, { concurrency: concurrency === undefined ? undefined : Number(concurrency), perSecond });
  }
  return queues;
});

/** Returns null unless the text is a rate above zero. */
function readPerSecond(text: string): number | null {
  const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/.exec(text) ?? [];
  return Number(count) > 0 ? Number(count) / UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS] : null;
}

/** Settings for tasks and the workers that run them. */
export const taskSettings = {
  TASK_MAX_RETRIES: integer(0, 100).default(3).meta({
    description:
      'How often a failed task is retried, unless its type says otherwise. This and the next three are not for tasks on `hapax-worker`: their Celery app sets these.',
  }),
  TASK_RETRY_DELAY: duration()
    .default(1_000)
    .meta({ description: 'Pause before the first retry of a task. It doubles each time, with jitter.' }),
  TASK_SOFT_TIME_LIMIT: duration(1).default(300_000).meta({
    description:
      'After this time, an attempt at a task is asked to stop, and is retried. A task or its type may have a limit of its own. At most TASK_TIME_LIMIT.',
  }),
  TASK_TIME_LIMIT: duration(1).default(600_000).meta({
    description:
      'After this time, an attempt is ended. The task fails and is not retried. A task or its type may have a limit of its own.',
  }),
  HAPAX_TASKS: z.string().optional().meta({
    description:
      'Folder with tasks of your own in TypeScript, which workers run. Each file in it exports what `defineTask` returns.',
  }),
  TASK_ALLOWED_HOSTS: hosts.default([]).meta({
    description:
      'Hosts that `context.fetch` in tasks of your own may call although their addresses are private or loopback, as in `localhost,10.0.0.5`.',
  }),
  WORKER_QUEUES: workerQueues.optional().meta({
    description:
      'Queues that a worker serves, comma separated: workflows (all workflows and builds), youtube, content, search, those of your own tasks, or * for all that are not named. Each may have its own concurrency, as in youtube:4, and a rate at which all workers together start its tasks, as in *,mine:2@10/m. Default: workflows, the queues of the built-in tasks and those of your own tasks.',
  }),
  WORKER_CONCURRENCY: integer(1, 1_000).optional().meta({
    description:
      'How many calls to GitHub, and how many tasks of each queue, a worker runs at once. In addition, a worker reads one run at a time after a webhook. Default: 1 in laptop mode, 4 in cloud mode.',
  }),
};

/** Settings for the Flower API, under Flower's own names. */
export const flowerSettings = {
  FLOWER_PORT: integer(0, 65_535).optional().meta({
    description:
      'Port on HOST that serves only the Flower API and the console, for example 5555. The API serves both too, at /api and /console.',
  }),
  FLOWER_BASIC_AUTH: basicAuth.optional().meta({
    description:
      'USER:PASSWORD pairs, comma separated, for the Flower API. These users may use all of it, and keys then do not count there. Not set: keys, if there are any; otherwise it is open to programs on this machine.',
    secret: true,
  }),
  FLOWER_UNAUTHENTICATED_API: truth.default(false).meta({
    description:
      'Opens the Flower API to everybody who can reach it, including web pages of any site, unless FLOWER_BASIC_AUTH is set.',
  }),
  FLOWER_READ_ONLY: truth
    .default(false)
    .meta({ description: 'Makes the Flower API refuse every change, and the console on FLOWER_PORT too.' }),
  FLOWER_URL_PREFIX: z
    .string()
    .transform((prefix) => prefix.replaceAll(/^\/+|\/+$/g, ''))
    .pipe(z.string().regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w./-]*$/, 'must be a path, for example flower'))
    .default('')
    .meta({ description: 'Path before the routes of the Flower API: with flower, /flower/api/tasks.' }),
};
