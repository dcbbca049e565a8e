import { setTimeout as delay } from 'node:timers/promises';
import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import { revokeIfOpen } from '../commands/tasks/revoke-task.ts';
import { LIMITS } from '../contracts/budgets.ts';
import type { Delivery } from '../contracts/celery/celery.ts';
import { type ControlMessage, revokeArguments } from '../contracts/celery/pidbox.ts';
import type { Revocation } from '../contracts/tasks/task-workflow.ts';
import { bodyText } from '../domain/celery/message-body.ts';
import { heardControl } from '../domain/celery/pidbox.ts';
import { AMQP_CALLER } from '../domain/celery/reading.ts';
import { celeryNameOf } from '../domain/celery/task-names.ts';
import type { Publication } from '../integrations/celery/rabbitmq.ts';
import { isAway, PAUSE_MS } from './outage.ts';
import type { Revocations } from './revocations.ts';

export interface ControlDependencies extends Pick<TaskDependencies, 'db' | 'client' | 'log' | 'taskTypes'> {
  /** Name of this process among Celery's workers: `hapax@host`. */
  hostname: string;
  prefetch: number;
  revocations: Revocations;
  publish(publication: Publication): Promise<void>;
  /** Aborted when the bridge stops. */
  stopped: AbortSignal;
}

/** A reply of a Celery worker: `{ok: ...}`, `{error: ...}` or, to questions, the requested value. */
type Reply = unknown;

type Method = (deps: ControlDependencies, given: Record<string, unknown>) => Promise<Reply> | Reply;

/** The commands of `app.control` and `app.control.inspect()` that make sense here, by Celery's names. */
const METHODS: Readonly<Record<string, Method>> = {
  ping: () => ({ ok: 'pong' }),
  revoke: (deps, given) => revoke(deps, given),
  terminate: (deps, given) => revoke(deps, { ...given, terminate: true }),
  registered: async ({ taskTypes }) => (await taskTypes.list()).map(({ name }) => celeryNameOf(name)),
  active_queues: async ({ taskTypes }) =>
    [...(await taskTypes.queues()).keys()].map((name) => ({ name, routing_key: name, durable: true })),
  stats: ({ prefetch }) => ({ pid: process.pid, prefetch_count: prefetch, uptime: Math.floor(process.uptime()) }),
};

/** Carries out a command that Celery's `app.control` sends to all workers, and replies if the sender waits for a reply. */
export async function onControl(deps: ControlDependencies, delivery: Delivery): Promise<void> {
  try {
    const message = heardControl(deps.hostname, bodyText(delivery), delivery.headers, Date.now() / 1_000);
    if (!message) return;
    const method = Object.hasOwn(METHODS, message.method) ? METHODS[message.method] : undefined;
    const known = method ?? (() => ({ error: `${message.method} is not known here` }));
    await reply(deps, message, await known(deps, message.arguments ?? {}));
  } catch (err) {
    deps.log.warn({ err }, 'a control message could not be followed');
  }
}

async function revoke(deps: ControlDependencies, given: Record<string, unknown>): Promise<Reply> {
  const asked = revokeArguments.safeParse(given);
  if (!asked.success) return { error: `task_id: must be an id or a list of at most ${LIMITS.messages.revokedIds} ids` };
  const { task_id: ids, terminate } = asked.data;
  const revocation = { by: AMQP_CALLER, reason: terminate ? 'terminated' : 'revoked' } as const;
  await Promise.all(
    ids.map(async (id) => {
      // Noted first: its message may arrive during the next call.
      deps.revocations.add(id);
      if (!(await tryToRevoke(deps, id, revocation))) void revokeLater(deps, id, revocation);
    }),
  );
  deps.log.info({ task_ids: ids.slice(0, 20), terminate: terminate === true }, 'tasks revoked');
  return { ok: `tasks ${ids.join(', ')} flagged as revoked` };
}

/** Tries again for as long as the revocation of a task that has not come would be remembered. */
async function revokeLater(deps: ControlDependencies, id: string, revocation: Revocation): Promise<void> {
  let pause: number = PAUSE_MS.first;
  do {
    await delay(pause, undefined, { signal: deps.stopped }).catch(() => {});
    if (deps.stopped.aborted || !deps.revocations.has(id)) return;
    pause = Math.min(2 * pause, PAUSE_MS.longest);
  } while (!(await tryToRevoke(deps, id, revocation)));
}

/** Revokes a task if it is open. Returns false if Temporal or the database is away. */
async function tryToRevoke(deps: ControlDependencies, id: string, revocation: Revocation): Promise<boolean> {
  try {
    await revokeIfOpen(deps, id, revocation);
  } catch (err) {
    const waits = isAway(err);
    deps.log[waits ? 'warn' : 'error']({ err, task_id: id }, 'a task was not revoked');
    return !waits;
  }
  return true;
}

async function reply(
  { hostname, publish }: ControlDependencies,
  message: ControlMessage,
  content: Reply,
): Promise<void> {
  if (!message.reply_to) return;
  const { exchange, routing_key } = message.reply_to;
  await publish({
    exchange,
    routing_key,
    body: Buffer.from(JSON.stringify({ [hostname]: content })),
    headers: { ticket: message.ticket ?? null, clock: 0 },
    content_type: 'application/json',
    content_encoding: 'utf-8',
    transient: true,
  });
}
