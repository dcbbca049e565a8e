import {
  type AboutTask,
  bodyOfProtocol1,
  bodyOfProtocol2,
  type Chord,
  type Delivery,
  embedOfProtocol2,
  followersInMessage,
  groupInMessage,
  headersOfProtocol2,
  type Signature,
  type TaskMessage,
} from '../../contracts/celery/celery.ts';
import { JsonFault, nestsTooDeep, readJson } from '../json.ts';
import { excessOf } from './celery-budget.ts';
import { checkSignatures, instant, written } from './celery-signature.ts';
import { checked, Refused } from './refused.ts';

/**
 * Reads the task that a message asks for. By Celery's rule, a message has protocol 2 if its headers name the task, else protocol 1.
 * The simple `{id, task, args}` is a valid message of protocol 1.
 * @param text the body, decompressed and decoded.
 * @throws {Refused} if it cannot be read, or asks for something that cannot be done.
 */
export function readTaskMessage(delivery: Omit<Delivery, 'body'>, text: string): TaskMessage {
  const body = parsed(text);
  const message = 'task' in delivery.headers ? readProtocol2(delivery, body) : readProtocol1(delivery, body);
  const { callbacks, errbacks, chain } = message.follow_ups;
  checkSignatures([...callbacks, ...errbacks, ...chain, ...(message.chord ? [message.chord] : [])]);
  const excess = excessOf(message.follow_ups);
  if (excess !== undefined) throw new Refused('too_large', excess);
  return message;
}

/** Returns the task id in a refused message. Its sender waits for a reply under this id. */
export function idOf(delivery: Omit<Delivery, 'body'>, text: string | undefined): string | null {
  const inHeaders = headersOfProtocol2.shape.id.safeParse(delivery.headers.id);
  if (inHeaders.data != null) return inHeaders.data;
  try {
    const body = leniently(text);
    const inBody = bodyOfProtocol1.shape.id.safeParse((body as { id?: unknown } | null)?.id);
    return inBody.data ?? null;
  } catch {
    return null;
  }
}

/** What was to follow the task of a refused message. */
export interface Followers {
  /** The later steps of its chain. */
  chain: Signature[];
  errbacks: Signature[];
  /** The chord that it is a member of. `group_id` is null if the message does not say its group. */
  chord: (Omit<Chord, 'group_id'> & { group_id: string | null }) | null;
}

/** Reads what was to follow the task of a refused message; nothing if that cannot be read. */
export function followersOf(delivery: Omit<Delivery, 'body'>, text: string | undefined): Followers {
  try {
    const body = leniently(text);
    const isProtocol2 = 'task' in delivery.headers;
    const { chain, chord, errbacks } = followersInMessage.parse(isProtocol2 ? (body as unknown[] | null)?.[2] : body);
    const { group: group_id, group_index: index } = groupInMessage.parse(isProtocol2 ? delivery.headers : body);
    return { chain, errbacks, chord: chord && { group_id, index, body: chord } };
  } catch {
    return { chain: [], errbacks: [], chord: null };
  }
}

/** Reads the body of a refused message as far as it can be understood, because its sender gets a reply. */
function leniently(text: string | undefined): unknown {
  return text === undefined || nestsTooDeep(text) ? undefined : JSON.parse(text);
}

function parsed(text: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, path } = error;
    if (path) throw new Refused('not_a_task', `${['body', ...path].join('.')}: ${message}`);
    throw new Refused('not_json', 'the body is not JSON');
  }
}

function readProtocol2(delivery: Omit<Delivery, 'body'>, body: unknown): TaskMessage {
  const headers = checked(headersOfProtocol2, delivery.headers, 'headers');
  const { args, kwargs, embed } = checked(bodyOfProtocol2, body, 'body');
  const { chord, ...follow_ups } = checked(embedOfProtocol2, embed, 'body[2]');
  return {
    ...common(delivery, headers, args, kwargs),
    as_sent: { args, kwargs, headers: furtherHeaders(delivery.headers), ...canvasIn(embed) },
    chord,
    ignore_result: headers.ignore_result ?? false,
    replaces: headers.replaced_task_nesting ?? 0,
    root_id: headers.root_id,
    parent_id: headers.parent_id,
    follow_ups,
  };
}

function readProtocol1(delivery: Omit<Delivery, 'body'>, body: unknown): TaskMessage {
  const { args, kwargs, chord, callbacks, errbacks, ...about } = checked(bodyOfProtocol1, body, 'body');
  return {
    ...common(delivery, about, args, kwargs),
    as_sent: {
      args,
      kwargs,
      headers: { ...delivery.headers },
      ...canvasIn(body),
    },
    chord,
    // Protocol 1 has no fields for these.
    ...{ ignore_result: false, replaces: 0 },
    root_id: null,
    parent_id: null,
    follow_ups: { callbacks, errbacks, chain: [] },
  };
}

/** Returns the parts that only Celery reads, as it wrote them. */
function canvasIn(said: unknown) {
  const { errbacks, chord } = (said ?? {}) as { errbacks?: unknown[] | null; chord?: unknown };
  return { errbacks: errbacks ?? [], chord: chord ?? null };
}

/** Headers about an attempt that the workflow provides itself. */
const OF_THE_ATTEMPT: ReadonlySet<string> = new Set([
  ...['lang', 'task', 'id', 'root_id', 'parent_id', 'retries', 'eta', 'expires', 'timelimit', 'compression'],
]);

function furtherHeaders(headers: Delivery['headers']): Record<string, unknown> {
  const further = Object.entries(headers).filter(([name, value]) => !OF_THE_ATTEMPT.has(name) && value !== null);
  return Object.fromEntries(further);
}

function common(
  { reply_to, priority }: Omit<Delivery, 'body'>,
  about: AboutTask,
  args: unknown[],
  kwargs: Record<string, unknown>,
) {
  const [time_limit_s, soft_time_limit_s] = about.timelimit ?? [null, null];
  return {
    task_id: about.id,
    task: about.task,
    args: written(args) as unknown[],
    kwargs: written(kwargs) as Record<string, unknown>,
    eta: instant(about.eta, 'eta'),
    expires: instant(about.expires, 'expires'),
    time_limit_s,
    soft_time_limit_s,
    priority,
    reply_to,
    group_id: about.group,
    group_index: about.group_index,
  };
}
