import type {
  CeleryException,
  Chord,
  ChordPart,
  FollowUps,
  PendingReply,
  Signature,
} from '../../contracts/celery/celery.ts';
import { nameUuid } from '../name-uuid.ts';
import { forgone, taskOfHapax } from './celery-follow-ups.ts';
import { type Following, type NeverComing, type QueueOf, type TaskEnding, whatFollows } from './celery-reply.ts';
import { asCelery, groupMembers, isPlain } from './celery-signature.ts';
import { FAIL_CHORD_TASK, PUBLISH_TASK, publishArguments } from './celery-tasks.ts';
import { reprOfException } from './python-repr.ts';

/** A chord as a Celery client keeps it in the result back end. */
export interface KeptChord {
  /** How many members it has. */
  size: number;
  /** The results of its members as a tree: each is `[[id, parent], members or null]`. Null if it is a plain list. */
  header: ResultTree | null;
}

export type ResultTree = [[string, unknown], ResultTree[] | null];

/** The joint outcome of a chord's members. */
export type Joined = { results: unknown[] } | { failed: FailedPart };

/** The member that made a chord fail. */
export interface FailedPart extends ChordPart {
  end: Extract<ChordPart['end'], { exception: CeleryException }>;
}

/** Compares two members. If they have the same place, Celery's back end takes the one with the lesser id first. */
function inOrder(a: ChordPart, b: ChordPart): number {
  const places = (a.index ?? Number.MAX_SAFE_INTEGER) - (b.index ?? Number.MAX_SAFE_INTEGER);
  return places || (a.task_id < b.task_id ? -1 : 1);
}

/** Joins the ends of all members, as Celery's back ends do. The first member that did not succeed decides. */
export function join(parts: ChordPart[], header: ResultTree | null): Joined {
  const ordered = parts.toSorted(inOrder);
  for (const { end, ...of } of ordered) if (end.status !== 'SUCCESS') return { failed: { ...of, end } };
  const resultOf = ({ end }: ChordPart) => (end.status === 'SUCCESS' ? end.result : null);
  if (!header) return { results: ordered.map(resultOf) };
  const byId = new Map(ordered.map((part) => [part.task_id, resultOf(part)]));
  const branch = ([[id], members]: ResultTree): unknown => (members ? members.map(branch) : byId.get(id));
  return { results: (header[1] ?? []).map(branch) };
}

/**
 * Returns the tasks to publish once all members of a chord have ended. If a Celery worker is known, Celery itself calls error links,
 * with the exception. The tasks of a body have ids, so publishing twice starts nothing twice.
 */
export function whatFollowsChord(
  { group_id, body }: Pick<Chord, 'group_id' | 'body'>,
  joined: Joined,
  last: { pending: PendingReply; ending: Pick<TaskEnding, 'task_id' | 'ended_at'> },
  queueOf: QueueOf,
): Following {
  const { pending, ending } = last;
  const follows = (step: Signature, result: unknown) =>
    whatFollows(
      { ...pending, follow_ups: { callbacks: [step], errbacks: [], chain: [] } },
      { ...ending, end: { status: 'SUCCESS', result } },
      queueOf,
    );
  if ('failed' in joined) {
    const errorLinks = errorLinksOf(body);
    if (errorLinks.length === 0) return { tasks: [] };
    const { task_id, end } = joined.failed;
    // A chord fails also where its member was revoked.
    const failure = { ...end, status: 'FAILURE' } as const;
    if (!(pending.celery_queue ?? queueOf(FAIL_CHORD_TASK))) {
      const links = errorLinks.map((link) =>
        whatFollows({ ...pending, ...link }, { ...ending, ...link, end: failure }, queueOf),
      );
      return { tasks: links.flatMap(({ tasks }) => tasks) };
    }
    const kwargs = { callback: asCelery(body), task_id, exception: end.exception };
    return follows(taskOfHapax(FAIL_CHORD_TASK, kwargs, nameUuid(`chord ${group_id} failed`)), null);
  }
  const { results } = joined;
  if (isPlain(body)) return follows(body, results);
  const { task_id: parent_id } = ending;
  const args = body.immutable ? [] : [results];
  const kwargs = publishArguments(body, [], { args, parent_id, root_id: pending.root_id ?? parent_id });
  return follows(taskOfHapax(PUBLISH_TASK, kwargs, nameUuid(`chord ${group_id} ${parent_id}`)), null);
}

/** Returns the error links of a chord's body, each with the id of the task that never comes. */
function errorLinksOf({ options, subtask_type, kwargs }: Signature): Array<{ task_id: string; follow_ups: FollowUps }> {
  const { task_id, link_error: errbacks } = options;
  const own =
    task_id === null || errbacks.length === 0 ? [] : [{ task_id, follow_ups: { callbacks: [], errbacks, chain: [] } }];
  return subtask_type === 'group' ? [...own, ...groupMembers(kwargs).flatMap(errorLinksOf)] : own;
}

/** Returns how the tasks that were to follow a chord end instead, because a member did not succeed. */
export function endsOfFailedChord(body: Signature, failed: FailedPart): NeverComing[] {
  const { exception } = failed.end;
  const end = {
    status: 'FAILURE',
    exception: chordError(failed),
    traceback: `celery.exceptions.ChordError: ${chordError(failed).exc_message[0]}`,
  } as const;
  const { chain, ...options } = body.options;
  if (body.subtask_type !== 'group') return [{ tasks: forgone([body]), end }];
  // Celery tells the members of a group what happened to the chord's member, and the rest of a chain what happened to the chord.
  const members = forgone([{ ...body, options: { ...options, chain: [] } }]);
  return [
    { tasks: members, end: { status: 'FAILURE', exception } },
    { tasks: forgone(chain), end },
  ];
}

function chordError({ task_id, end }: FailedPart): CeleryException {
  const detail = `Dependency ${task_id} raised ${reprOfException(end.exception)}`;
  return { exc_type: 'ChordError', exc_message: [detail], exc_module: 'celery.exceptions' };
}
