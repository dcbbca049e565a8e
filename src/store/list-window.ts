import { LIMITS } from '../contracts/budgets.ts';
import { inAnyCase } from './any-case.ts';
import { allOf, type Db, type Fragment } from './database.ts';
import { type Cursor, type Page, pageOf } from './page.ts';

/** A table that is listed newest first. */
export type ListedTable = 'builds' | 'tasks';

/** The rows of a table that a list shows. */
export interface Selection<Id extends number | string> {
  /** Conditions that an index serves, or that few rows fail. */
  conditions: ReadonlyArray<Fragment | undefined>;
  /** A condition that reads the text of a row, so a query may check only a limited number of rows. */
  text: Fragment | undefined;
  after: Cursor<Id> | undefined;
}

/** How many rows match. */
export interface Count {
  value: number;
  /** False if there may be more. */
  exact: boolean;
}

const { textEntries, countedEntries } = LIMITS.lists;

/**
 * Returns one page of a table, newest first. A text search looks through a bounded number of rows. The page ends there even
 * if it is not full; the next page goes on from there.
 */
export async function listPage<Id extends number | string, Row extends Cursor<Id>>(
  db: Db,
  table: ListedTable,
  columns: Fragment,
  selection: Selection<Id>,
  limit: number,
): Promise<Page<Row, Id>> {
  const last = await lastOfWindow<Id>(db, table, selection);
  const rows = await db<Row[]>`
    SELECT ${columns} FROM ${db(table)} WHERE ${matching(db, selection, last)}
    ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`;
  const { items, end } = pageOf([...rows], limit);
  return { items, end: (end as Cursor<Id> | undefined) ?? last };
}

/** Counts the rows that match, up to a bound. */
export async function countMatching<Id extends number | string>(
  db: Db,
  table: ListedTable,
  selection: Selection<Id>,
): Promise<Count> {
  const { conditions, text } = selection;
  const most = text ? textEntries : countedEntries + 1;
  const [row] = await db<Array<{ seen: number; counted: number }>>`
    SELECT count(*) AS seen, count(*) FILTER (WHERE ${text ?? db`true`}) AS counted FROM (
      SELECT ${text ? db`*` : db``} FROM ${db(table)} WHERE ${allOf(db, conditions)}
      ${text ? db`ORDER BY created_at DESC, id DESC` : db``} LIMIT ${most}) AS found`;
  const { seen, counted } = row!;
  return { value: Math.min(counted, countedEntries), exact: seen < most };
}

function matching<Id extends number | string>(
  db: Db,
  { conditions, text, after }: Selection<Id>,
  last: Cursor<Id> | undefined,
): Fragment {
  return allOf(db, [
    ...conditions,
    after && db`(created_at, id) < (${after.created_at}, ${after.id})`,
    last && db`(created_at, id) >= (${last.created_at}, ${last.id})`,
    text,
  ]);
}

/** Returns the last row that a text search looks at; undefined if it looks at all rows, or if there is no text to search for. */
async function lastOfWindow<Id extends number | string>(
  db: Db,
  table: ListedTable,
  selection: Selection<Id>,
): Promise<Cursor<Id> | undefined> {
  if (!selection.text) return undefined;
  const [last] = await db<Array<Cursor<Id>>>`
    SELECT created_at, id FROM ${db(table)} WHERE ${matching(db, { ...selection, text: undefined }, undefined)}
    ORDER BY created_at DESC, id DESC OFFSET ${textEntries - 1} LIMIT 1`;
  return last;
}

/** Says whether a text contains another, ignoring case. */
export function isIn(db: Db, text: string, place: Fragment): Fragment {
  return db`(${place}) ~ ${inAnyCase(text)}::text`;
}
