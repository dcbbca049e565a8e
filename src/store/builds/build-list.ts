import type { BuildListQuery } from '../../contracts/builds/build.ts';
import { type Build, statusOf } from '../../domain/builds/build.ts';
import { branchName } from '../../domain/builds/concurrency-group.ts';
import { allOf, type Db, type Fragment } from '../database.ts';
import { isIn, listPage, type Selection } from '../list-window.ts';
import type { Cursor, Page } from '../page.ts';
import { type BuildRow, buildFromRow } from './build-row.ts';

/** A filter for the builds of a page. */
export type BuildFilter = Omit<BuildListQuery, 'cursor' | 'at' | 'count'> & {
  after?: Cursor<number> | undefined;
  /** Only builds of these repositories: `OWNER/NAME` or `OWNER/*`. */
  within?: readonly string[] | undefined;
};

/** Lists one page of builds, newest first. */
export async function listBuilds(db: Db, filter: BuildFilter): Promise<Page<Build, number>> {
  const { items, end } = await listPage<number, BuildRow>(
    db,
    'builds',
    db`*`,
    buildSelection(db, filter),
    filter.limit,
  );
  return { items: items.map(buildFromRow), end };
}

/** Returns the conditions of a filter on fields of a build that never change, so that they hold at any time. */
export function matchesUnchanging(
  db: Db,
  { ref, config_id, repository, since, until, within, after }: Omit<BuildFilter, 'limit'>,
): Fragment {
  return allOf(db, [
    // The expression of the index.
    ref === undefined
      ? undefined
      : db`regexp_replace(builds.ref, '^refs/heads/(?!(?:refs|heads|tags)/)', '') = ${branchName(ref)}`,
    config_id === undefined ? undefined : db`builds.config_id = ${config_id}`,
    repository === undefined ? undefined : db`builds.repository = ${repository}`,
    within && isWithin(db, within),
    since === undefined ? undefined : db`builds.created_at >= ${since}`,
    until === undefined ? undefined : db`builds.created_at < ${until}`,
    after && db`(builds.created_at, builds.id) < (${after.created_at}, ${after.id})`,
  ]);
}

/** Works like `matchesRepository` of the domain. */
function isWithin(db: Db, patterns: readonly string[]): Fragment {
  const like = patterns.map((pattern) =>
    pattern
      .toLowerCase()
      .replaceAll(/[\\%_]/g, '\\$&')
      .replace(/\*$/, '%'),
  );
  return db`lower(builds.repository) LIKE ANY (ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(like)}::jsonb)))`;
}

/** Returns the selection of builds that a filter makes. */
export function buildSelection(db: Db, { after, ...filter }: Omit<BuildFilter, 'limit'>): Selection<number> {
  const { status, conclusion, needs_attention, q } = filter;
  return {
    conditions: [
      status && hasStatus(db, status),
      conclusion === undefined ? undefined : hasConclusion(db, conclusion),
      needs_attention === undefined ? undefined : needsAttention(db, needs_attention),
      matchesUnchanging(db, filter),
    ],
    text: q === undefined ? undefined : isIn(db, q, textOf(db)),
    after,
  };
}

/** Returns a condition that lets the database prove that an index applies, whatever plan it has cached for the statement. */
function hasStatus(db: Db, status: Build['status']): Fragment {
  switch (status) {
    case 'queued':
    case 'in_progress':
      return db`status = ${status} AND completed_at IS NULL`;
    case 'failure':
    case 'cancelled':
      return db`status = ${status} AND status IN ('failure', 'cancelled')`;
    case 'success':
      return db`status = ${status}`;
    default:
      return status satisfies never;
  }
}

/**
 * Returns the condition on a conclusion. A success gets none on the status: it would add nothing, and without statistics
 * the planner would underestimate the number of rows.
 */
function hasConclusion(db: Db, conclusion: string): Fragment {
  const status = statusOf(conclusion);
  return status === 'success'
    ? db`conclusion = ${conclusion}`
    : db`conclusion = ${conclusion} AND ${hasStatus(db, status)}`;
}

function needsAttention(db: Db, needed: boolean): Fragment {
  return needed ? db`(dead_lettered OR needs_attention) AND needs_attention` : db`NOT needs_attention`;
}

/** Returns the text that a text search looks at. */
function textOf(db: Db): Fragment {
  return db`concat_ws(' ', id, repository, ref, image_type, fedora_version, caller, conclusion, reason, workflow_run_id,
    request ->> 'workflow', request -> 'inputs')`;
}
