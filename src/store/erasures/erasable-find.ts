import { SEALED_VALUES } from '../../domain/record/erased.ts';
import { inAnyCase } from '../any-case.ts';
import type { Db, Fragment } from '../database.ts';

/** How many events one statement looks through: the embedded Postgres serves nobody else meanwhile. */
const EVENTS_AT_ONCE = 20_000;

/** Builds and tasks, as streams, whose data was not erased, newest first. */
export interface FoundStreams {
  ended: string[];
  /** Those that have not ended: an erasure of these is refused. */
  open: string[];
}

/** Values of users as they are: the names in them may be data too. The names in all others are ours. */
const OF_USERS: ReadonlySet<string> = new Set(['args', 'kwargs', 'result', 'meta', 'request.inputs']);
/** The path of all values that have no others in them. */
const WITHOUT_NAMES = '$.** ? (@.type() != "object" && @.type() != "array")';

/** The values to search, as rows for Postgres. A fingerprint can be erased, but nobody finds a person in its digits. */
const SEARCHED = JSON.stringify(
  Object.entries(SEALED_VALUES).flatMap(([type, values]) =>
    Object.keys(values)
      .filter((name) => name !== 'fingerprint')
      .map((name) => ({ type, name, path: name.split('.'), within: OF_USERS.has(name) ? '$' : WITHOUT_NAMES })),
  ),
);

/** Where the tasks that follow one have data of users. Those that only group others have further tasks in their arguments. */
const OF_FOLLOWING = JSON.stringify([
  '$.**.args',
  '$.** ? (!(@.subtask_type != null)).kwargs',
  '$.**.kwargs.it',
  '$.**.headers',
]);
/** Where the end of a chord's member has them. */
const OF_MEMBERS = JSON.stringify(['$.result', '$.exception.exc_type', '$.exception.exc_message']);

/** In JSON: an escaped backslash, which stays, or an escaped character that no `jsonb` holds. */
const ESCAPED = String.raw`(\\\\)|\\u(?:0000|d[89a-f][0-9a-f]{2})`;

/**
 * Finds builds and tasks that have a text in what can be erased: at most `most` that ended. Reads the values of the whole log, even
 * values that later events have replaced, and those that an earlier version kept in the log itself. Ids, repositories and names of
 * tasks stay in any case, and the names of fields are ours, so a text in them is no reason to erase.
 */
export async function findStreamsWithText(db: Db, text: string, most: number): Promise<FoundStreams> {
  const seen = new Set<string>();
  const found: FoundStreams = { ended: [], open: [] };
  const json = inAnyCase(inJson(text));
  const take = async (rows: Array<{ stream: string }>) => {
    const fresh = [...new Set(rows.map(({ stream }) => stream))].filter((stream) => !seen.has(stream));
    for (const stream of fresh) seen.add(stream);
    for (const { stream, ended } of await withoutErased(db, fresh)) found[ended ? 'ended' : 'open'].push(stream);
  };
  const [end] = await db<Array<{ position: number }>>`SELECT coalesce(max(position), 0) AS position FROM events`;
  for (let until = end!.position; until > 0 && found.ended.length < most; until -= EVENTS_AT_ONCE) {
    await take(
      await db<Array<{ stream: string }>>`
        SELECT stream FROM told_events
        WHERE position <= ${until}::bigint AND position > ${until - EVENTS_AT_ONCE}::bigint
          AND split_part(stream, ':', 1) IN ('build', 'task')
          AND EXISTS (
            SELECT FROM jsonb_to_recordset(${SEARCHED}::jsonb) AS searched (type text, name text, path text[], within jsonpath),
              jsonb_path_query(coalesce(told -> name, data #> path), within) AS part
            WHERE searched.type = told_events.type AND part::text ~ ${json}::text)
        ORDER BY position DESC`,
    );
  }
  await take(
    await db<Array<{ stream: string }>>`
      SELECT stream FROM callback_targets WHERE url ~ ${inAnyCase(text)}::text
      UNION SELECT 'task:' || task_id FROM task_steps WHERE result::text ~ ${json}::text
      UNION SELECT 'task:' || task_id FROM owed WHERE ${hasText(db, db`details`, OF_FOLLOWING, json)}
      UNION SELECT 'task:' || task_id FROM chord_parts WHERE ${hasText(db, db`ended`, OF_MEMBERS, json)}`,
  );
  return found;
}

/** @param paths a JSON array of where in the value to search. @param pattern a regular expression, of text in JSON. */
function hasText(db: Db, value: Fragment, paths: string, pattern: string): Fragment {
  return db`EXISTS (
    SELECT FROM jsonb_array_elements_text(${paths}::jsonb) AS path, jsonb_path_query(${value}, path::jsonpath) AS part
    WHERE part::text ~ ${pattern}::text)`;
}

/** Finds builds and tasks that a caller requested: at most `most`, those that ended before the others. */
export async function findStreamsOfCaller(db: Db, caller: string, most: number): Promise<FoundStreams> {
  const rows = await db<Array<{ stream: string; ended: boolean }>>`
    SELECT stream, ended FROM (
      SELECT 'build:' || id AS stream, completed_at IS NOT NULL AS ended, created_at FROM builds
      WHERE caller = ${caller} AND erased_at IS NULL
      UNION ALL SELECT 'task:' || id, completed_at IS NOT NULL, created_at FROM tasks
      WHERE caller = ${caller} AND erased_at IS NULL
    ) AS asked ORDER BY ended DESC, created_at DESC, stream LIMIT ${most}`;
  const streams = (which: boolean) => rows.filter(({ ended }) => ended === which).map(({ stream }) => stream);
  return { ended: streams(true), open: streams(false) };
}

/**
 * Lists refused messages that contain a text: at most `most`, newest first. Their bytes are as the sender wrote them: the text itself,
 * or in JSON, where many senders (Python's) escape all that is not ASCII.
 */
export async function findMessagesWithText(db: Db, text: string, most: number): Promise<string[]> {
  const json = inJson(text);
  const forms = JSON.stringify([text, json, inAscii(json)]);
  const rows = await db<Array<{ id: string }>>`
    SELECT id FROM dead_messages, LATERAL (SELECT regexp_replace(publication, ${ESCAPED}, '\\1', 'g')::jsonb AS said) AS given
    WHERE position(${text}::text IN detail) > 0 OR EXISTS (
        SELECT FROM jsonb_array_elements_text(${forms}::jsonb) AS form
        WHERE position(convert_to(form, 'UTF8') IN decode(body, 'base64')) > 0 OR EXISTS (
          SELECT FROM jsonb_path_query(said, ${WITHOUT_NAMES}::jsonpath) AS part WHERE position(form IN part #>> '{}') > 0))
    ORDER BY created_at DESC, id LIMIT ${most}`;
  return rows.map(({ id }) => id);
}

/**
 * Lists builds and tasks, as streams, that ended before a time and have something to erase, earliest end first. Leaves out a member of
 * a chord until the body of the chord is published. Leaves out what was erased before: see {@link findErasedWithTargets}.
 */
export async function findExpiredStreams(
  db: Db,
  before: string,
  { after, limit }: { after: { completed_at: string; stream: string } | undefined; limit: number },
): Promise<Array<{ stream: string; completed_at: string }>> {
  const { completed_at = '-infinity', stream = '' } = after ?? {};
  return db<Array<{ stream: string; completed_at: string }>>`
    SELECT stream, completed_at FROM (
      SELECT 'build:' || id AS stream, completed_at FROM builds
      WHERE completed_at < ${before}::timestamptz AND erased_at IS NULL
      UNION ALL SELECT 'task:' || id, completed_at FROM tasks
      WHERE completed_at < ${before}::timestamptz AND erased_at IS NULL
    ) AS ended
    WHERE (completed_at, stream) > (${completed_at}::timestamptz, ${stream}::text)
      AND (EXISTS (SELECT FROM events JOIN event_values USING (position) WHERE events.stream = ended.stream)
        OR EXISTS (SELECT FROM callback_targets WHERE callback_targets.stream = ended.stream))
      AND stream NOT IN (SELECT 'task:' || task_id FROM chord_parts)
    ORDER BY completed_at, stream LIMIT ${limit}`;
}

/** Lists builds and tasks, as streams, that ended before a time and got a callback URL after they were erased. */
export async function findErasedWithTargets(db: Db, before: string, limit: number): Promise<string[]> {
  const rows = await db<Array<{ stream: string }>>`
    SELECT DISTINCT stream FROM callback_targets ${withItsRow(db)}
    WHERE coalesce(builds.erased_at, tasks.erased_at) IS NOT NULL
      AND coalesce(builds.completed_at, tasks.completed_at) < ${before}::timestamptz
    LIMIT ${limit}`;
  return rows.map(({ stream }) => stream);
}

async function withoutErased(db: Db, streams: string[]): Promise<Array<{ stream: string; ended: boolean }>> {
  if (streams.length === 0) return [];
  return db<Array<{ stream: string; ended: boolean }>>`
    SELECT stream, coalesce(builds.completed_at, tasks.completed_at) IS NOT NULL AS ended
    FROM jsonb_array_elements_text(${JSON.stringify(streams)}::jsonb) WITH ORDINALITY AS listed (stream, place)
    ${withItsRow(db)}
    WHERE coalesce(builds.erased_at, tasks.erased_at) IS NULL
    ORDER BY place`;
}

/** Joins each stream with its row in `builds` or `tasks`. */
function withItsRow(db: Db): Fragment {
  return db`
    LEFT JOIN builds ON builds.id = CASE WHEN starts_with(stream, 'build:') THEN substr(stream, 7)::bigint END
    LEFT JOIN tasks ON tasks.id = CASE WHEN starts_with(stream, 'task:') THEN substr(stream, 6) END`;
}

/** Returns a text as JSON writes it between quotes. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Returns a text in JSON with everything beyond ASCII escaped, as Python writes it. */
function inAscii(json: string): string {
  return json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
