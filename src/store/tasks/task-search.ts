import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { LIMITS } from '../../contracts/budgets.ts';
import type { TaskSearch } from '../../contracts/tasks/task-search.ts';
import type { Task } from '../../domain/tasks/task.ts';
import type { Db } from '../database.ts';
import { tasks } from '../schema.ts';
import { type TaskRow, taskFromRow } from './task-row.ts';

/** What tasks can be sorted by. */
export const TASK_ORDERS = {
  name: tasks.name,
  state: tasks.status,
  received: tasks.received_at,
  started: tasks.started_at,
};

export interface TaskOrder {
  by: keyof typeof TASK_ORDERS;
  descending: boolean;
}

export interface TaskQuery {
  /** State as events have it: RECEIVED is PENDING that a worker has seen. */
  state?: string | undefined;
  name?: string | undefined;
  worker?: string | undefined;
  /** Tasks that were not received pass. */
  receivedFrom?: Date | undefined;
  receivedUntil?: Date | undefined;
  search?: TaskSearch | undefined;
  order?: TaskOrder | undefined;
  limit: number;
  offset: number;
}

/** Tasks as an operator looks for them; newest first where no order is asked for. Searching reads many. */
export async function searchTasks(db: Db, query: TaskQuery): Promise<Task[]> {
  const { state, name, worker, receivedFrom, receivedUntil, search, order, limit, offset } = query;
  const { received_at } = tasks;
  const conditions = [
    state === undefined ? undefined : inState(state),
    name === undefined ? undefined : sql`${tasks.name} = ${name}`,
    worker === undefined ? undefined : sql`${tasks.worker} = ${worker}`,
    receivedFrom && sql`(${received_at} IS NULL OR ${received_at} >= ${receivedFrom.toISOString()}::timestamptz)`,
    receivedUntil && sql`(${received_at} IS NULL OR ${received_at} <= ${receivedUntil.toISOString()}::timestamptz)`,
    search && matches(search),
  ].filter((condition) => condition !== undefined);
  const { args, kwargs, result } = tasks;
  const long = { args: cut(args, '["..."]'), kwargs: cut(kwargs, '{"...": "..."}'), result: cut(result, '"..."') };
  const rows = await db
    .select({ ...getTableColumns(tasks), ...long })
    .from(tasks)
    .where(conditions.length > 0 ? sql.join(conditions, sql` AND `) : undefined)
    .orderBy(...(order ? [inOrder(order)] : []), sql`${tasks.created_at} DESC`, sql`${tasks.id} DESC`)
    .limit(limit)
    .offset(offset);
  return rows.map((row) => taskFromRow(row as TaskRow));
}

/**
 * A value of JSON, or a mark in the place of one that no list can show whole: 10,000 tasks may have a megabyte each. The size
 * that is stored comes first, as the database knows it without unpacking the value.
 */
function cut(column: PgColumn, mark: string): SQL.Aliased<unknown> {
  const { storedBytes, listedCharacters } = LIMITS.flower;
  return sql`CASE WHEN pg_column_size(${column}) > ${storedBytes}::int THEN ${mark}::jsonb
    WHEN length(${column}::text) > ${listedCharacters}::int THEN ${mark}::jsonb ELSE ${column} END`
    .mapWith(column)
    .as(column.name);
}

function inState(state: string): SQL {
  if (state === 'RECEIVED') return sql`(${tasks.status} = 'PENDING' AND ${tasks.received_at} IS NOT NULL)`;
  if (state === 'PENDING') return sql`(${tasks.status} = 'PENDING' AND ${tasks.received_at} IS NULL)`;
  return sql`${tasks.status} = ${state}`;
}

function inOrder({ by, descending }: TaskOrder): SQL {
  return descending ? sql`${TASK_ORDERS[by]} DESC NULLS LAST` : sql`${TASK_ORDERS[by]} ASC NULLS FIRST`;
}

/** JSON as text, with quotes as people see them. */
function unquoted(column: PgColumn): SQL {
  return sql`replace(${column}::text, '\\"', '"')`;
}

const ANYTHING = sql`concat_ws(' ', ${tasks.id}, 'tasks.' || ${tasks.name}, ${tasks.status}, ${tasks.worker}, ${unquoted(tasks.args)}, ${unquoted(tasks.kwargs)}, ${unquoted(tasks.result)}, ${tasks.error})`;

const PLACES = {
  anything: ANYTHING,
  name: sql`'tasks.' || ${tasks.name}`,
  worker: sql`${tasks.worker}`,
  args: unquoted(tasks.args),
  kwargs: unquoted(tasks.kwargs),
  result: unquoted(tasks.result),
};

function matches(search: TaskSearch): SQL {
  switch (search.kind) {
    case 'all':
      return sql`(${sql.join(search.of.map(matches), sql` AND `)})`;
    case 'any':
      return sql`(${sql.join(search.of.map(matches), sql` OR `)})`;
    case 'state':
      return inState(search.is.toUpperCase());
    case 'kwarg':
      return sql`EXISTS (SELECT FROM jsonb_each_text(${tasks.kwargs}) AS pair
        WHERE lower(pair.key) = lower(${search.name}::text) AND lower(coalesce(pair.value, '')) = lower(${search.is}::text))`;
    case 'text': {
      const place = PLACES[search.in];
      return sql`position(lower(${search.text}::text) IN lower(${place})) > 0`;
    }
    default:
      return search satisfies never;
  }
}
