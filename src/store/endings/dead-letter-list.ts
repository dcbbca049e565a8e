import type { DeadLetterFilter } from '../../contracts/builds/operator.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Build } from '../../domain/builds/build.ts';
import { branchName } from '../../domain/builds/concurrency-group.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { ListedTask } from '../../domain/tasks/task-view.ts';
import { type BuildRow, buildFromRow } from '../builds/build-row.ts';
import { BUILDS, buildStream } from '../builds/build-stream.ts';
import { type Db, type Fragment, join } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { streamOf } from '../record/stream-kind.ts';
import { listedTaskColumns } from '../tasks/task-list.ts';
import { TASKS, taskStream } from '../tasks/task-stream.ts';

/** A build, task or message that ended after its last retry, or that waits for an operator. */
export type DeadLetter =
  | { kind: 'build'; build: Build }
  | { kind: 'task'; task: Task }
  | { kind: 'message'; message: DeadMessage };

/** A dead letter as lists read it: without the fields that may hold a megabyte. */
export type ListedDeadLetter =
  | { kind: 'build'; build: Build }
  | { kind: 'task'; task: ListedTask }
  | { kind: 'message'; message: ListedMessage };

type ListedMessage = Omit<DeadMessage, 'publication' | 'body'> & {
  /** Length of its body. */
  bytes: number;
};

/** Refused messages have no stream, but their ids have the same form. */
const MESSAGES = { name: 'message' };

/** Returns the id of a dead letter: its stream. */
export function deadLetterIdOf(letter: ListedDeadLetter | DeadLetter): string {
  switch (letter.kind) {
    case 'build':
      return buildStream(letter.build.id);
    case 'task':
      return taskStream(letter.task.id);
    case 'message':
      return streamOf(MESSAGES, letter.message.id);
    default:
      return letter satisfies never;
  }
}

/** A filter for the dead letters of a page. */
export type DeadLetterPageFilter = DeadLetterFilter & { after?: Cursor | undefined; limit: number };

/** Lists one page of dead letters of all kinds, newest first. */
export async function listDeadLetters(db: Db, filter: DeadLetterPageFilter): Promise<Page<ListedDeadLetter>> {
  const { items, end } = await listDeadLetterIds(db, filter);
  const found = await findByStreams(
    db,
    items.map(({ id }) => id),
  );
  return { items: items.flatMap(({ id }) => found.get(id) ?? []), end };
}

/** Lists the ids of one page of dead letters. The id of each is its stream. */
export async function listDeadLetterIds(
  db: Db,
  filter: DeadLetterPageFilter,
): Promise<Page<{ id: string; created_at: string }>> {
  const { limit } = filter;
  const kinds = deadOfKinds(db, filter);
  if (kinds.length === 0) return { items: [], end: undefined };
  const rows = await db<Array<{ id: string; created_at: string }>>`
    SELECT stream AS id, created_at FROM (${join(db, kinds, db` UNION ALL `)}) AS dead
    ORDER BY dead.created_at DESC, stream DESC LIMIT ${limit + 1}`;
  return pageOf(rows, limit);
}

/** Returns one query for each kind of dead letter that can match. A filter on a field that only some kinds have excludes the others. */
export function deadOfKinds(db: Db, filter: DeadLetterPageFilter): Fragment[] {
  return [
    ...(asksFor('build', filter) ? [deadBuilds(db, filter)] : []),
    ...(asksFor('task', filter) ? [deadTasks(db, filter)] : []),
    ...(asksFor('message', filter) ? [waitingMessages(db, filter)] : []),
  ];
}

function asksFor(
  wanted: DeadLetter['kind'],
  { kind = wanted, name, queue, ref, config_id, repository }: DeadLetterFilter,
): boolean {
  const ofOthers = wanted === 'build' ? [name, queue] : [ref, config_id, repository];
  return kind === wanted && ofOthers.every((value) => value === undefined);
}

function deadBuilds(db: Db, { ref, config_id, repository, ...filter }: DeadLetterPageFilter): Fragment {
  const cause = db`CASE WHEN needs_attention THEN 'needs_attention' ELSE coalesce(conclusion, 'unknown') END`;
  return db`(SELECT 'build:' || id AS stream, created_at, 'build' AS kind, ${cause} AS cause, reason AS detail FROM builds
    WHERE (dead_lettered OR needs_attention)
    ${ref === undefined ? db`` : db`AND ref IN (${ref}, ${branchName(ref)})`} ${equals(db, 'config_id', config_id)} ${equals(db, 'repository', repository)} ${within(db, BUILDS, filter, cause)})`;
}

function deadTasks(db: Db, { name, queue, ...filter }: DeadLetterPageFilter): Fragment {
  const cause = db`coalesce(error ->> 'type', 'unknown')`;
  return db`(SELECT 'task:' || id AS stream, created_at, 'task' AS kind, ${cause} AS cause, reason AS detail FROM tasks
    WHERE dead_lettered ${equals(db, 'name', name)} ${equals(db, 'queue', queue)} ${within(db, TASKS, filter, cause)})`;
}

function waitingMessages(db: Db, { name, queue, ...filter }: DeadLetterPageFilter): Fragment {
  return db`(SELECT 'message:' || id AS stream, created_at, 'message' AS kind, reason AS cause, detail FROM dead_messages
    WHERE settled IS NULL
    ${name === undefined ? db`` : db`AND task IN (${name}, ${`tasks.${name}`})`} ${equals(db, 'queue', queue)} ${within(db, MESSAGES, filter, db`reason`)})`;
}

function equals(db: Db, column: string, value: string | number | undefined): Fragment {
  return value === undefined ? db`` : db`AND ${db(column)} = ${value}`;
}

/** Returns the conditions on time and cause, and limits the rows of a kind to what a page can take. */
function within(
  db: Db,
  { name }: { name: string },
  { since, until, after, limit, cause }: Pick<DeadLetterPageFilter, 'since' | 'until' | 'after' | 'limit' | 'cause'>,
  causeOf: Fragment,
): Fragment {
  return db`
    ${since === undefined ? db`` : db`AND created_at >= ${since}::timestamptz`}
    ${until === undefined ? db`` : db`AND created_at < ${until}::timestamptz`}
    ${cause === undefined ? db`` : db`AND ${causeOf} = ${cause}`}
    ${after ? db`AND (created_at, ${`${name}:`}::text || id) < (${after.created_at}::timestamptz, ${after.id}::text)` : db``}
    ORDER BY created_at DESC, stream DESC LIMIT ${limit + 1}`;
}

/** Finds the present state of these streams, dead letters or not. */
export async function findByStreams(db: Db, streams: string[]): Promise<Map<string, ListedDeadLetter>> {
  const idsOf = ({ name }: { name: string }) =>
    streams.filter((stream) => stream.startsWith(`${name}:`)).map((stream) => stream.slice(name.length + 1));
  const buildIds = idsOf(BUILDS).map(Number).filter(Number.isSafeInteger);
  const taskIds = idsOf(TASKS);
  const messageIds = idsOf(MESSAGES);
  const [foundBuilds, foundTasks, foundMessages] = await Promise.all([
    buildIds.length > 0 ? db<BuildRow[]>`SELECT * FROM builds WHERE id IN ${db(buildIds)}` : [],
    taskIds.length > 0 ? db<ListedTask[]>`SELECT ${listedTaskColumns(db)} FROM tasks WHERE id IN ${db(taskIds)}` : [],
    messageIds.length > 0
      ? db<ListedMessage[]>`SELECT ${listedMessageColumns(db)} FROM dead_messages WHERE id IN ${db(messageIds)}`
      : [],
  ]);
  const letters: ListedDeadLetter[] = [
    ...foundBuilds.map((row) => ({ kind: 'build', build: buildFromRow(row) }) as const),
    ...foundTasks.map((task) => ({ kind: 'task', task }) as const),
    ...foundMessages.map((message) => ({ kind: 'message', message }) as const),
  ];
  return new Map(letters.map((letter) => [deadLetterIdOf(letter), letter]));
}

function listedMessageColumns(db: Db): Fragment {
  return db`id, queue, reason, detail, task_id, task, length(decode(body, 'base64')) AS bytes, refusals, first_refused_at, created_at,
    settled, settled_by, settled_at`;
}
