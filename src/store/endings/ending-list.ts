import { and, asc, gt, inArray, isNull } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { builds, tasks } from '../schema.ts';

/** What the record says about whether a build or task has ended. */
export interface Ending<Id> {
  id: Id;
  workflow_id: string;
  status: string;
  completed_at: string | null;
}

const PAGE = 1_000;

function of<Table extends typeof builds | typeof tasks>(table: Table) {
  const { id, workflow_id, status, completed_at } = table;
  return { id, workflow_id, status, completed_at };
}

/** All builds that have not ended, by id. */
export function listOpenBuilds(db: Db): AsyncGenerator<Ending<number>> {
  return paged((after: number | undefined) =>
    db
      .select(of(builds))
      .from(builds)
      .where(and(isNull(builds.completed_at), after === undefined ? undefined : gt(builds.id, after)))
      .orderBy(asc(builds.id))
      .limit(PAGE),
  );
}

/** All tasks that have not ended, by id. */
export function listOpenTasks(db: Db): AsyncGenerator<Ending<string>> {
  return paged((after: string | undefined) =>
    db
      .select(of(tasks))
      .from(tasks)
      .where(and(isNull(tasks.completed_at), after === undefined ? undefined : gt(tasks.id, after)))
      .orderBy(asc(tasks.id))
      .limit(PAGE),
  );
}

async function* paged<Id, Row extends { id: Id }>(read: (after: Id | undefined) => Promise<Row[]>) {
  for (let after: Id | undefined; ; ) {
    const page = await read(after);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}

/** Those of these builds that the record knows. */
export function findBuildEndings(db: Db, ids: number[]): Promise<Array<Ending<number>>> {
  return db.select(of(builds)).from(builds).where(inArray(builds.id, ids));
}

/** Those of these tasks that the record knows. */
export function findTaskEndings(db: Db, ids: string[]): Promise<Array<Ending<string>>> {
  return db.select(of(tasks)).from(tasks).where(inArray(tasks.id, ids));
}
