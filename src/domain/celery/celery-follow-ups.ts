import { LIMITS } from '../../contracts/budgets.ts';
import {
  type Chord,
  type FollowUps,
  type Forgone,
  type OutgoingTask,
  type Signature,
  type SignatureOptions,
  signature,
} from '../../contracts/celery/celery.ts';
import { nameUuid } from '../name-uuid.ts';
import { asCelery, chordBody, groupMembers, headersOf, isPlain } from './celery-signature.ts';
import { PUBLISH_TASK, publishArguments } from './celery-tasks.ts';

/** The facts about an ended task that publishing its follow-ups needs. */
export interface EndedTask {
  task_id: string;
  root_id: string | null;
  follow_ups: FollowUps;
  succeeded: boolean;
  /** Its result; the first argument of the tasks that follow. */
  result: unknown;
  /** ISO 8601. Countdowns of the tasks that follow count from here. */
  ended_at: string;
}

/** A function that returns the queue of a task whose signature names none. */
export type RouteOf = (task: string) => string;

interface Step {
  signature: Signature;
  /** The steps that come after it, the next one last. */
  chain: Signature[];
  /** Identifies the step among those of its task. It is the same each time they are published. */
  path: string;
  group?: { id: string; index: number };
}

/**
 * Returns the tasks to publish after a task has ended: links and the next step of the chain after a success, error links after a
 * failure. Their ids come from the signatures or are derived from the task's own, so publishing twice starts nothing twice.
 */
export function followUps(ended: EndedTask, routeOf: RouteOf): OutgoingTask[] {
  const { callbacks, errbacks, chain } = ended.follow_ups;
  const next = chain.at(-1);
  const steps: Step[] = ended.succeeded
    ? [
        ...callbacks.map((signature, index) => ({ signature, chain: [], path: `link ${index}` })),
        ...(next ? [{ signature: next, chain: chain.slice(0, -1), path: 'chain' }] : []),
      ]
    : errbacks.map((signature, index) => ({ signature, chain: [], path: `error link ${index}` }));
  // An error link gets the id of the failed task, and asks for the rest itself.
  const lead = ended.succeeded ? ended.result : ended.task_id;
  return steps.flatMap((step) =>
    isPlain(step.signature)
      ? unfold(step).map((one) => outgoing(one, ended, lead, routeOf))
      : [toUnfold(step, ended, lead, routeOf)],
  );
}

/** Returns the task by which a Celery worker publishes what only Celery can unfold. */
function toUnfold({ signature, chain, path }: Step, ended: EndedTask, lead: unknown, routeOf: RouteOf): OutgoingTask {
  const { task_id: parent_id } = ended;
  const root_id = ended.root_id ?? parent_id;
  const args = signature.immutable ? [] : [lead];
  const kwargs = publishArguments(signature, chain, { args, parent_id, root_id });
  return outgoing({ signature: taskOfHapax(PUBLISH_TASK, kwargs), chain: [], path }, ended, lead, routeOf);
}

/** Returns the signature of a task that every `hapax-worker` has. Without an id, it gets one from its place. */
export function taskOfHapax(task: string, kwargs: Record<string, unknown>, task_id?: string): Signature {
  return signature.parse({ task, kwargs, immutable: true, options: { task_id, ignore_result: true } });
}

/** Replaces a group by its members, which are published. */
function unfold(step: Step): Step[] {
  const { signature, path } = step;
  if (signature.subtask_type !== 'group') return [step];
  const id = signature.options.task_id ?? `${path} group`;
  return groupMembers(signature.kwargs).flatMap((member, index) =>
    unfold({ signature: member, chain: step.chain, path: `${path} ${index}`, group: { id, index } }),
  );
}

/**
 * Returns the tasks that never come if none of these steps is published, as far as somebody can know their ids. Leaves out error
 * links: nobody waits for them.
 */
export function forgone(steps: Signature[]): Forgone[] {
  return steps.flatMap(({ subtask_type, kwargs, options }): Forgone[] => {
    const { task_id, reply_to, group_id, link, chain } = options;
    const chord = chordOf(options);
    const replaces = nestingOf(options);
    const own =
      subtask_type !== null
        ? forgone(endsOf(subtask_type, kwargs))
        : task_id === null
          ? []
          : [{ task_id, reply_to, group_id, chord, replaces }];
    return [...own, ...forgone([...link, ...chain])];
  });
}

/** Returns the tasks of a canvas that somebody can wait for. */
function endsOf(subtask_type: string, kwargs: Record<string, unknown>): Signature[] {
  if (subtask_type === 'group') return groupMembers(kwargs);
  if (subtask_type === 'chord') return [chordBody(kwargs)];
  return subtask_type === 'chain' ? groupMembers(kwargs) : [];
}

/** Returns the chord that a task is a member of. */
function chordOf({ chord, group_id, group_index = null }: SignatureOptions): Chord | null {
  return chord && group_id !== null ? { group_id, index: group_index, body: chord } : null;
}

/** Returns Celery's count of how often a task was replaced. The task that replaces one carries it. */
function nestingOf(options: SignatureOptions): number | null {
  const nesting = (options as { replaced_task_nesting?: unknown }).replaced_task_nesting;
  return typeof nesting === 'number' && nesting > 0 ? nesting : null;
}

function outgoing(step: Step, ended: EndedTask, lead: unknown, routeOf: RouteOf): OutgoingTask {
  const { task, args, kwargs, immutable, options } = step.signature;
  // No id has a NUL. With NUL for each space in it, an id cannot run into the path after it.
  const id = options.task_id ?? nameUuid(`${ended.task_id.replaceAll(' ', '\u0000')} ${step.path}`);
  const after = (s: number) => new Date(Date.parse(ended.ended_at) + s * 1_000).toISOString();
  const eta = options.countdown === null ? options.eta : after(options.countdown);
  const taken = immutable ? args : [lead, ...args];
  const { headers, stamps } = headersOf(options);
  return {
    task_id: id,
    ...addressOf(options, routeOf(task)),
    reply_to: options.reply_to,
    priority: options.priority,
    headers: {
      ...headers,
      lang: 'js',
      task,
      id,
      shadow: options.shadow ?? null,
      eta,
      expires: typeof options.expires === 'number' ? after(options.expires) : options.expires,
      group: options.group_id ?? step.group?.id ?? null,
      group_index: options.group_index ?? step.group?.index ?? null,
      retries: 0,
      timelimit: [options.time_limit, options.soft_time_limit],
      root_id: ended.root_id ?? ended.task_id,
      parent_id: ended.task_id,
      // For people to read. Headers are small: a result of a megabyte would not fit.
      argsrepr: JSON.stringify(taken).slice(0, LIMITS.messages.reprCharacters),
      kwargsrepr: JSON.stringify(kwargs).slice(0, LIMITS.messages.reprCharacters),
      origin: 'hapax',
      ignore_result: options.ignore_result ?? false,
      replaced_task_nesting: nestingOf(options) ?? 0,
      stamped_headers: some(Object.keys(stamps)),
      stamps,
    },
    body: [
      taken,
      kwargs,
      {
        callbacks: some(options.link.map(asCelery)),
        errbacks: some(options.link_error.map(asCelery)),
        chain: some([...step.chain, ...options.chain].map(asCelery)),
        chord: options.chord ? asCelery(options.chord) : null,
      },
    ],
  };
}

/** Returns the address of a message. As in Celery, a queue takes precedence over an exchange with its routing key. */
function addressOf({ queue, exchange, routing_key }: SignatureOptions, route: string) {
  if (queue !== null || !exchange) return { exchange: '', routing_key: queue ?? routing_key ?? route };
  return { exchange, routing_key: routing_key ?? route };
}

/** Returns null for an empty list: Python writes None. */
function some<Item>(list: Item[]): Item[] | null {
  return list.length > 0 ? list : null;
}
