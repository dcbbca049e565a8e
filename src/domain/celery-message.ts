import {
  type AboutTask,
  bodyOfProtocol1,
  bodyOfProtocol2,
  type Delivery,
  embedOfProtocol2,
  type FollowUps,
  followersInMessage,
  headersOfProtocol2,
  type Reads,
  type Refusal,
  type Signature,
  signature,
  type TaskMessage,
} from '../contracts/celery.ts';
import { isStorableInstant } from '../contracts/timestamp.ts';
import { plain } from './celery-json.ts';
import { JsonFault, nestsTooDeep, readJson } from './json.ts';

/** Thrown where a message is no task; `refusal` says why. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(code: Refusal['code'], detail: string) {
    super(detail);
    this.refusal = { code, detail };
  }
}

/** Kinds of signatures that can follow a task: plain ones, and groups, which are published member by member. */
const CANVAS: ReadonlySet<string | null> = new Set([null, 'group']);

/**
 * Reads the task that a message asks for. By Celery's rule a message is of protocol 2 if its headers name the task, else of
 * protocol 1; the simple `{id, task, args}` is a valid message of that.
 * @param text the body, decompressed and decoded.
 * @throws {Refused} if it cannot be read, or asks for something that cannot be done.
 */
export function readTaskMessage(delivery: Omit<Delivery, 'body'>, text: string): TaskMessage {
  const body = parsed(text);
  const message = 'task' in delivery.headers ? readProtocol2(delivery, body) : readProtocol1(delivery, body);
  refuseOtherCanvas(message.follow_ups);
  return message;
}

/** The task id in a refused message: its sender waits for an answer under this id. */
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

/** What was to follow the task of a message that was refused: later steps of its chain, and the task that its chord ends in. */
export function followersOf(delivery: Omit<Delivery, 'body'>, text: string | undefined): Signature[] {
  try {
    const body = leniently(text);
    const embed: unknown = 'task' in delivery.headers ? (body as unknown[] | null)?.[2] : body;
    const { chain, chord } = followersInMessage.parse(embed);
    return chord === null ? chain : [...chain, chord];
  } catch {
    return [];
  }
}

/** The body of a message that is refused: its sender is told as far as it can be understood. */
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
  refuseChord(chord);
  return {
    ...common(delivery, headers, args, kwargs),
    ignore_result: headers.ignore_result ?? false,
    root_id: headers.root_id,
    parent_id: headers.parent_id,
    follow_ups,
  };
}

function readProtocol1(delivery: Omit<Delivery, 'body'>, body: unknown): TaskMessage {
  const { args, kwargs, chord, callbacks, errbacks, ...about } = checked(bodyOfProtocol1, body, 'body');
  refuseChord(chord);
  return {
    ...common(delivery, about, args, kwargs),
    // Protocol 1 cannot say it.
    ignore_result: false,
    root_id: null,
    parent_id: null,
    follow_ups: { callbacks, errbacks, chain: [] },
  };
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
  };
}

function checked<Value>(schema: Reads<Value>, value: unknown, where: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [where, ...(issue?.path ?? [])].join('.');
  throw new Refused('not_a_task', `${path}: ${issue?.message ?? 'is not as Celery writes it'}`);
}

function written(value: unknown): unknown {
  try {
    return plain(value);
  } catch (error) {
    throw new Refused('not_a_task', (error as Error).message);
  }
}

/** A time as Python writes it: without an offset it is UTC; a number is seconds since 1970. */
function instant(value: string | number | null, name: string): string | null {
  if (value === null) return null;
  const hasOffset = typeof value === 'string' && /(Z|[+-]\d\d:?\d\d)$/i.test(value);
  const date = new Date(typeof value === 'number' ? value * 1_000 : hasOffset ? value : `${value}Z`);
  if (!isStorableInstant(date)) throw new Refused('not_a_task', `${name}: is no ISO 8601 time in the years 1 to 9999`);
  return date.toISOString();
}

function refuseChord(chord: unknown): void {
  if (chord !== null)
    throw new Refused('unsupported_canvas', 'a chord needs a result back end that counts; use a chain');
}

/** Refuses now, while the sender still listens, what could not be published when the task has ended. */
function refuseOtherCanvas({ callbacks, errbacks, chain }: FollowUps): void {
  for (const step of [...callbacks, ...errbacks, ...chain]) refuseOther(step);
}

/** The members of a group that follows a task. @throws {Refused} where they are none. */
export function groupMembers(kwargs: Record<string, unknown>): Signature[] {
  return checked(signature.array(), kwargs.tasks, 'group');
}

function refuseOther({ task, subtask_type, options, kwargs }: Signature): void {
  if (!CANVAS.has(subtask_type)) {
    throw new Refused(
      'unsupported_canvas',
      `${task}: a ${subtask_type} cannot follow a task here; use a chain or a group`,
    );
  }
  if (subtask_type === 'group') for (const member of groupMembers(kwargs)) refuseOther(member);
  refuseChord(options.chord);
  refuseOtherCanvas({ callbacks: options.link, errbacks: options.link_error, chain: options.chain });
}
