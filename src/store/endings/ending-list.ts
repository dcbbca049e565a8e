import type { Db } from '../database.ts';

/** The end of a build or task, according to the record. */
export interface Ending<Id> {
  id: Id;
  workflow_id: string;
  status: string;
  /** When it was accepted, ISO 8601. */
  created_at: string;
  completed_at: string | null;
}

const PAGE = 1_000;

/** Lists all builds that have not ended, by id. */
export function listOpenBuilds(db: Db): AsyncGenerator<Ending<number>> {
  return listOpen(db, 'builds', 0);
}

/** Lists all tasks that have not ended, by id. */
export function listOpenTasks(db: Db): AsyncGenerator<Ending<string>> {
  return listOpen(db, 'tasks', '');
}

/** @param before a value less than every id. */
async function* listOpen<Id extends number | string>(db: Db, table: string, before: Id): AsyncGenerator<Ending<Id>> {
  for (let after = before; ; ) {
    const page = await db<Array<Ending<Id>>>`
      SELECT id, workflow_id, status, created_at, completed_at FROM ${db(table)}
      WHERE completed_at IS NULL AND id > ${after} ORDER BY id LIMIT ${PAGE}`;
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}

/** Finds the builds among these that the record knows. */
export function findBuildEndings(db: Db, ids: number[]): Promise<Array<Ending<number>>> {
  return db<
    Array<Ending<number>>
  >`SELECT id, workflow_id, status, created_at, completed_at FROM builds WHERE id IN ${db(ids)}`;
}

/** Finds the tasks among these that the record knows. */
export function findTaskEndings(db: Db, ids: string[]): Promise<Array<Ending<string>>> {
  return db<
    Array<Ending<string>>
  >`SELECT id, workflow_id, status, created_at, completed_at FROM tasks WHERE id IN ${db(ids)}`;
}
