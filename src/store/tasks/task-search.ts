import { LIMITS } from '../../contracts/budgets.ts';
import type { TaskSearch } from '../../contracts/tasks/task-search.ts';
import type { Task } from '../../domain/tasks/task.ts';
import { inAnyCase } from '../any-case.ts';
import { allOf, type Db, type Fragment, join } from '../database.ts';
import { type StateRow, stateOfRow } from '../record/state-row.ts';

/** The columns that tasks can be sorted by. */
export const TASK_ORDERS = { name: 'name', state: 'status', received: 'received_at', started: 'started_at' };

export interface TaskOrder {
  by: keyof typeof TASK_ORDERS;
  descending: boolean;
}

export interface TaskQuery {
  /** The state as Celery's events name it. RECEIVED is a PENDING task that a worker has seen. */
  state?: string | undefined;
  name?: string | undefined;
  worker?: string | undefined;
  /** Tasks that were not received pass, too. */
  receivedFrom?: Date | undefined;
  receivedUntil?: Date | undefined;
  search?: TaskSearch | undefined;
  order?: TaskOrder | undefined;
  limit: number;
  offset: number;
}

/** Searches tasks for an operator. Newest first unless another order is given. A text search reads many. */
export async function searchTasks(db: Db, query: TaskQuery): Promise<Task[]> {
  const { state, name, worker, receivedFrom, receivedUntil, search, order, limit, offset } = query;
  const conditions = [
    state === undefined ? undefined : inState(db, state),
    name === undefined ? undefined : db`name = ${name}`,
    worker === undefined ? undefined : db`worker = ${worker}`,
    receivedFrom && db`(received_at IS NULL OR received_at >= ${receivedFrom.toISOString()})`,
    receivedUntil && db`(received_at IS NULL OR received_at <= ${receivedUntil.toISOString()})`,
    search && matches(db, search),
  ];
  const rows = await db<Array<StateRow<Task>>>`
    SELECT *, ${cut(db, 'args', '["..."]')}, ${cut(db, 'kwargs', '{"...": "..."}')}, ${cut(db, 'result', '"..."')}
    FROM tasks WHERE ${allOf(db, conditions)}
    ORDER BY ${order ? inOrder(db, order) : db``} created_at DESC, id DESC LIMIT ${limit} OFFSET ${offset}`;
  return rows.map(stateOfRow<Task>);
}

/**
 * Returns a JSON value, or a mark instead of one that is too long for a list: 10,000 tasks may have a megabyte each. It checks
 * the stored size first, which the database knows without unpacking the value. Of two columns with one name, the last counts.
 */
function cut(db: Db, column: string, mark: string): Fragment {
  const { storedBytes, listedCharacters } = LIMITS.flower;
  const value = db(column);
  return db`CASE WHEN pg_column_size(${value}) > ${storedBytes}::int THEN ${mark}::jsonb
    WHEN length(${value}::text) > ${listedCharacters}::int THEN ${mark}::jsonb ELSE ${value} END AS ${value}`;
}

function inState(db: Db, state: string): Fragment {
  if (state === 'RECEIVED') return db`(status = 'PENDING' AND received_at IS NOT NULL)`;
  if (state === 'PENDING') return db`(status = 'PENDING' AND received_at IS NULL)`;
  return db`status = ${state}`;
}

function inOrder(db: Db, { by, descending }: TaskOrder): Fragment {
  const column = db(TASK_ORDERS[by]);
  return descending ? db`${column} DESC NULLS LAST,` : db`${column} ASC NULLS FIRST,`;
}

/** Where to look for a text. JSON as text has its quotes as people see them. */
const PLACES = {
  name: "'tasks.' || name",
  worker: 'worker',
  args: unquoted('args'),
  kwargs: unquoted('kwargs'),
  result: unquoted('result'),
  anything: `concat_ws(' ', id, 'tasks.' || name, status, worker, ${['args', 'kwargs', 'result'].map(unquoted)}, error)`,
};

function unquoted(column: string): string {
  return `replace(${column}::text, '\\"', '"')`;
}

function matches(db: Db, search: TaskSearch): Fragment {
  const each = (of: TaskSearch[], between: Fragment) =>
    join(
      db,
      of.map((one) => matches(db, one)),
      between,
    );
  switch (search.kind) {
    case 'all':
      return db`(${each(search.of, db` AND `)})`;
    case 'any':
      return db`(${each(search.of, db` OR `)})`;
    case 'state':
      return inState(db, search.is.toUpperCase());
    case 'kwarg':
      return db`EXISTS (SELECT FROM jsonb_each_text(kwargs) AS pair
        WHERE pair.key ~ ${`^${inAnyCase(search.name)}$`}::text AND coalesce(pair.value, '') ~ ${`^${inAnyCase(search.is)}$`}::text)`;
    case 'text':
      return db`(${db.unsafe(PLACES[search.in])}) ~ ${inAnyCase(search.text)}::text`;
    default:
      return search satisfies never;
  }
}
