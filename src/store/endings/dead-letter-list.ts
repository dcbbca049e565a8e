import { inArray, type SQL, sql } from 'drizzle-orm';
import type { DeadLetterFilter } from '../../contracts/builds/operator.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Build } from '../../domain/builds/build.ts';
import { branchName } from '../../domain/builds/lane.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { buildFromRow } from '../builds/build-row.ts';
import { BUILDS, buildStream } from '../builds/build-stream.ts';
import type { Db } from '../database.ts';
import { type Cursor, type Page, pageOf } from '../page.ts';
import { streamOf } from '../record/stream-kind.ts';
import { builds, deadMessages, tasks } from '../schema.ts';
import { taskFromRow } from '../tasks/task-row.ts';
import { TASKS, taskStream } from '../tasks/task-stream.ts';

/** What ended after its last retry, or waits for an operator. */
export type DeadLetter =
  | { kind: 'build'; build: Build }
  | { kind: 'task'; task: Task }
  | { kind: 'message'; message: DeadMessage };

/** Refused messages have no stream, but an id of the same form. */
const MESSAGES = { name: 'message' };

/** Id of a dead letter: the stream of what died. */
export function deadLetterIdOf(letter: DeadLetter): string {
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

type Filter = DeadLetterFilter & { after?: Cursor | undefined; limit: number };

/** One page of dead letters of all kinds, newest first; the id of one is its stream. */
export async function listDeadLetters(db: Db, filter: Filter): Promise<Page<DeadLetter>> {
  const { limit } = filter;
  const kinds = [
    ...(asksFor('build', filter) ? [deadBuilds(filter)] : []),
    ...(asksFor('task', filter) ? [deadTasks(filter)] : []),
    ...(asksFor('message', filter) ? [waitingMessages(filter)] : []),
  ];
  if (kinds.length === 0) return { items: [], end: undefined };
  const rows = await db.execute<{ id: string; created_at: string }>(sql`
    SELECT stream AS id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
    FROM (${sql.join(kinds, sql` UNION ALL `)}) AS dead
    ORDER BY dead.created_at DESC, stream DESC LIMIT ${limit + 1}`);
  const { items, end } = pageOf(rows, limit);
  const found = await findByStreams(
    db,
    items.map(({ id }) => id),
  );
  return { items: items.flatMap(({ id }) => found.get(id) ?? []), end };
}

/** What only builds have leaves out all else, and the other way round. */
function asksFor(
  wanted: DeadLetter['kind'],
  { kind = wanted, name, queue, ref, config_id, repository }: DeadLetterFilter,
): boolean {
  const ofOthers = wanted === 'build' ? [name, queue] : [ref, config_id, repository];
  return kind === wanted && ofOthers.every((value) => value === undefined);
}

function deadBuilds({ ref, config_id, repository, ...filter }: Filter): SQL {
  return sql`(SELECT 'build:' || id AS stream, created_at FROM builds WHERE (dead_lettered OR needs_attention)
    ${ref === undefined ? sql`` : sql`AND ref IN (${ref}, ${branchName(ref)})`} ${equals('config_id', config_id)} ${equals('repository', repository)} ${within(BUILDS, filter)})`;
}

function deadTasks({ name, queue, ...filter }: Filter): SQL {
  return sql`(SELECT 'task:' || id AS stream, created_at FROM tasks WHERE dead_lettered
    ${equals('name', name)} ${equals('queue', queue)} ${within(TASKS, filter)})`;
}

function waitingMessages({ name, queue, ...filter }: Filter): SQL {
  return sql`(SELECT 'message:' || id AS stream, created_at FROM dead_messages WHERE settled IS NULL
    ${name === undefined ? sql`` : sql`AND task IN (${name}, ${`tasks.${name}`})`} ${equals('queue', queue)} ${within(MESSAGES, filter)})`;
}

function equals(column: string, value: string | number | undefined): SQL {
  return value === undefined ? sql`` : sql`AND ${sql.identifier(column)} = ${value}`;
}

/** The times that are asked for, and no more rows of a kind than a page can take. */
function within(
  { name }: { name: string },
  { since, until, after, limit }: Pick<Filter, 'since' | 'until' | 'after' | 'limit'>,
): SQL {
  return sql`
    ${since === undefined ? sql`` : sql`AND created_at >= ${since}::timestamptz`}
    ${until === undefined ? sql`` : sql`AND created_at < ${until}::timestamptz`}
    ${after ? sql`AND (created_at, ${`${name}:`}::text || id) < (${after.created_at}::timestamptz, ${after.id}::text)` : sql``}
    ORDER BY created_at DESC, stream DESC LIMIT ${limit + 1}`;
}

async function findByStreams(db: Db, streams: string[]): Promise<Map<string, DeadLetter>> {
  const idsOf = ({ name }: { name: string }) =>
    streams.filter((stream) => stream.startsWith(`${name}:`)).map((stream) => stream.slice(name.length + 1));
  const buildIds = idsOf(BUILDS).map(Number);
  const taskIds = idsOf(TASKS);
  const messageIds = idsOf(MESSAGES);
  const [foundBuilds, foundTasks, foundMessages] = await Promise.all([
    buildIds.length > 0 ? db.select().from(builds).where(inArray(builds.id, buildIds)) : [],
    taskIds.length > 0 ? db.select().from(tasks).where(inArray(tasks.id, taskIds)) : [],
    messageIds.length > 0 ? db.select().from(deadMessages).where(inArray(deadMessages.id, messageIds)) : [],
  ]);
  const letters: DeadLetter[] = [
    ...foundBuilds.map((row) => ({ kind: 'build', build: buildFromRow(row) }) as const),
    ...foundTasks.map((row) => ({ kind: 'task', task: taskFromRow(row) }) as const),
    ...foundMessages.map((message) => ({ kind: 'message', message }) as const),
  ];
  return new Map(letters.map((letter) => [deadLetterIdOf(letter), letter]));
}
