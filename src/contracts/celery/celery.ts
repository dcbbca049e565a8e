import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { taskId } from '../tasks/task.ts';
import type { MessageToPython } from '../tasks/task-workflow.ts';
import { text, textOfBytes } from '../text.ts';
import { unmarked } from './kombu-json.ts';

/** A message as RabbitMQ delivered it. Members that the publisher left out are null. */
export interface Delivery {
  queue: string;
  redelivered: boolean;
  content_type: string | null;
  content_encoding: string | null;
  correlation_id: string | null;
  message_id: string | null;
  reply_to: string | null;
  priority: number | null;
  timestamp: number | null;
  headers: Readonly<Record<string, unknown>>;
  body: Uint8Array;
}

const json = z.json();
/** Returns a schema that also accepts an absent value, which Python writes as None. */
const absent = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);
/** Returns a schema of a value that may be absent, and that kombu may have marked. */
const scalar = <Schema extends z.ZodType>(schema: Schema) => absent(unmarked(schema.nullish()));

const taskName = text(LIMITS.tasks.nameCharacters).min(1);
/** Returns a schema of the name of a queue, exchange or group. Python treats an empty one as none. */
const name = () => scalar(textOfBytes(LIMITS.messages.shortBytes)).transform((value) => value || null);
const id = () =>
  z.preprocess((given) => (given === '' ? null : typeof given === 'number' ? String(given) : given), scalar(taskId));
const number = z.union([
  z.number(),
  z
    .string()
    .regex(/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i)
    .transform(Number),
]);
const time = text(64);

/** Seconds of a time limit. Celery treats 0, like None, as no limit of the task's own. */
const seconds = () => scalar(number.pipe(z.number().min(0))).transform((limit) => limit || null);
/** Hard limit, then soft limit. Celery's page about its protocol has them the wrong way round. */
const timeLimit = absent(z.tuple([seconds(), seconds()]));
const groupIndex = () => scalar(z.int().min(0));
/** Seconds from now, within Celery's own bounds. */
const fromNow = z.number().min(-LIMITS.messages.countdownSeconds).max(LIMITS.messages.countdownSeconds);

/** A task to publish when another one has ended: a link, an error link, a step of a chain or a member of a group. */
export interface Signature {
  task: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Whether it ignores the result of the task before it. */
  immutable: boolean;
  subtask_type: string | null;
  options: SignatureOptions;
}

export interface SignatureOptions {
  task_id: string | null;
  queue: string | null;
  /** Not set in data that earlier versions stored. */
  exchange?: string | null;
  routing_key: string | null;
  reply_to: string | null;
  priority: number | null;
  eta: string | null;
  expires: string | number | null;
  countdown: number | null;
  time_limit: number | null;
  soft_time_limit: number | null;
  ignore_result: boolean | null;
  group_id: string | null;
  /** Its place among the members of a group. Not set in data that earlier versions stored. */
  group_index?: number | null;
  shadow?: string | null;
  /** Headers of its message. `stamped_headers` has the names of more headers, whose values are among the options. */
  headers?: Record<string, unknown>;
  stamped_headers?: string[];
  link: Signature[];
  link_error: Signature[];
  chain: Signature[];
  /** The body of the chord that it is a member of. */
  chord?: Signature | null;
}

const signatures = () => absent(z.array(signature)).transform((list) => list ?? []);

export const signature: z.ZodType<Signature, unknown> = z.lazy(() =>
  z.object({
    task: unmarked(taskName),
    args: absent(z.array(json)).transform((list): unknown[] => list ?? []),
    kwargs: absent(z.record(z.string(), json)).transform((record): Record<string, unknown> => record ?? {}),
    immutable: scalar(z.boolean()).transform((value) => value ?? false),
    subtask_type: scalar(z.string()),
    options: absent(signatureOptions).transform((options) => options ?? signatureOptions.parse({})),
  }),
);

/** Loose: the worker of a later step interprets the other options. Stamps are among them. */
const signatureOptions: z.ZodType<SignatureOptions, unknown> = z.lazy(() =>
  z.looseObject({
    task_id: id(),
    queue: name(),
    exchange: name(),
    routing_key: name(),
    reply_to: name(),
    priority: scalar(number.pipe(z.int().min(0).max(255))),
    eta: scalar(time),
    expires: scalar(z.union([fromNow, time])),
    countdown: scalar(number.pipe(fromNow)),
    time_limit: seconds(),
    soft_time_limit: seconds(),
    ignore_result: scalar(z.boolean()),
    group_id: name(),
    group_index: groupIndex(),
    shadow: scalar(text(LIMITS.tasks.nameCharacters)),
    headers: absent(z.record(z.string(), json)).transform((headers): Record<string, unknown> => headers ?? {}),
    stamped_headers: absent(z.array(z.string())).transform((list) => list ?? []),
    link: signatures(),
    link_error: signatures(),
    chain: signatures(),
    chord: absent(signature),
  }),
);

/** Members that protocol 2 has in the headers and protocol 1 in the body. */
const about = {
  task: unmarked(taskName),
  id: id(),
  eta: scalar(time),
  expires: scalar(z.union([z.number(), time])),
  timelimit: timeLimit,
  group: name(),
  group_index: groupIndex(),
};

const aboutTask = z.object(about);
export type AboutTask = z.output<typeof aboutTask>;

/** The part of a schema that reading needs. */
export type Reads<Value> = Pick<z.ZodType<Value>, 'safeParse'>;

/** Headers of protocol 2. Others are passed on and have no meaning here. */
export const headersOfProtocol2 = z.object({
  ...about,
  root_id: name(),
  parent_id: name(),
  ignore_result: scalar(z.boolean()),
  replaced_task_nesting: scalar(z.int().min(0)),
});

const args = z.array(json);
const kwargs = z.record(z.string(), json);

/** Body of protocol 2: positional arguments, named arguments, and the tasks that follow. */
export const bodyOfProtocol2 = z
  .union([z.tuple([args, kwargs, z.unknown()]), z.tuple([args, kwargs]).transform(([a, k]) => [a, k, {}] as const)])
  .transform(([a, k, embed]) => ({ args: a as unknown[], kwargs: k as Record<string, unknown>, embed }));

export const embedOfProtocol2 = absent(
  z.object({ callbacks: signatures(), errbacks: signatures(), chain: signatures(), chord: absent(signature) }),
).transform((embed) => embed ?? { callbacks: [], errbacks: [], chain: [], chord: null });

/** The tasks that follow, in either protocol, as far as a refused message has them in order. */
export const followersInMessage = z.object({
  chain: signatures(),
  chord: absent(signature),
  errbacks: signatures().catch([]),
});

/** The group that a task is a member of, where either protocol says it. */
export const groupInMessage = z.object({ group: name().catch(null), group_index: groupIndex().catch(null) });

/** Body of protocol 1. The simple `{id, task, args}` is a subset. */
export const bodyOfProtocol1 = z.object({
  ...about,
  args: absent(args).transform((list): unknown[] => list ?? []),
  kwargs: absent(kwargs).transform((record): Record<string, unknown> => record ?? {}),
  callbacks: signatures(),
  errbacks: signatures(),
  chord: absent(signature),
});

/** The tasks to publish when a task has ended. Chains are in Celery's order: the next step is the last. */
export interface FollowUps {
  callbacks: Signature[];
  errbacks: Signature[];
  chain: Signature[];
}

/** A task that never runs, because the task before it did not succeed. Its sender may still wait for it. */
export interface Forgone {
  task_id: string;
  reply_to: string | null;
  group_id: string | null;
  /** The chord that it is a member of, and its place there. */
  chord?: Chord | null;
  /** How often the task with its id was replaced before; null: it has its id from the start. */
  replaces?: number | null;
}

/** The data about a chord that each member has. */
export interface Chord {
  group_id: string;
  /** The member's place; null if its sender gave none. */
  index: number | null;
  /** The task to publish once all members have ended. */
  body: Signature;
}

/** How a member of a chord ended. */
export interface ChordPart {
  task_id: string;
  index: number | null;
  end: { status: 'SUCCESS'; result: unknown } | { status: 'FAILURE' | 'REVOKED'; exception: CeleryException };
}

/** A reply that the sender of a message waits for until its task has ended. */
export interface PendingReply {
  /** Queue for the result; empty if there is none. */
  reply_to: string;
  ignore_result: boolean;
  group_id: string | null;
  root_id: string | null;
  parent_id: string | null;
  follow_ups: FollowUps;
  /** Set if the task is a member of a chord that the record counts. */
  chord?: Chord;
  /** The queue of the task, if a worker in Python runs it. Such a worker publishes what only Celery's code can unfold. */
  celery_queue?: string;
  /** The parts of the message for such a worker, to be given to it again if the task is retried or its workflow is lost. */
  message?: MessageToPython;
}

/** The parts of a message that only a worker in Python can read. */
export interface SentToPython {
  /** With Celery's type markers. */
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** Headers that do not say what the task is or when it runs: those of the sender, stamps, the group, a shadow name. */
  headers: Record<string, unknown>;
  /** Signatures that the worker itself calls with the exception, as Celery does. */
  errbacks: unknown[];
  /** Null if the task is not a member of a chord. */
  chord: unknown;
}

/** A task that a message requests. */
export interface TaskMessage {
  /** Null if the publisher gave none. */
  task_id: string | null;
  task: string;
  /** Plain JSON. Values that Celery marks are written out. */
  args: unknown[];
  kwargs: Record<string, unknown>;
  /** ISO 8601 in UTC, milliseconds. */
  eta: string | null;
  expires: string | null;
  time_limit_s: number | null;
  soft_time_limit_s: number | null;
  /** AMQP's scale: 0 is the least urgent. */
  priority: number | null;
  ignore_result: boolean;
  reply_to: string | null;
  group_id: string | null;
  group_index: number | null;
  root_id: string | null;
  parent_id: string | null;
  follow_ups: FollowUps;
  /** The body of the chord that the task is a member of. */
  chord: Signature | null;
  /** How often the task with its id was replaced before; 0 if it replaces none. */
  replaces: number;
  as_sent: SentToPython;
}

export const REFUSAL_CODES = [
  'too_large',
  'unsupported_content_type',
  'unsupported_encoding',
  'unsupported_compression',
  'not_json',
  'not_a_task',
  'unsupported_canvas',
  'unknown_task',
  'invalid_arguments',
  'task_id_reused',
  'unroutable',
  'internal',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Why a message did not become a task. */
export interface MessageRefusal {
  code: RefusalCode;
  /** One line for the operator. */
  detail: string;
}

/** An error as Celery clients see it. */
export interface CeleryException {
  exc_type: string;
  exc_message: unknown[];
  exc_module: string;
}

/** A result as Celery's result back ends store it, with keys in Celery's order. */
export interface CeleryResult {
  status: 'SUCCESS' | 'FAILURE' | 'REVOKED';
  result: unknown;
  traceback: string | null;
  children: Array<[[string, null], null]>;
  date_done: string;
  group_id?: string;
  parent_id?: string;
  task_id: string;
}

/** A task message that Hapax publishes. */
export interface OutgoingTask {
  task_id: string;
  /** Empty for the default exchange, where the routing key is the name of a queue. */
  exchange: string;
  routing_key: string;
  reply_to: string | null;
  priority: number | null;
  headers: Record<string, unknown>;
  body: unknown;
}
