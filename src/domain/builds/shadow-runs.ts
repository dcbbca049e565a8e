import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { ListedRun } from '../../contracts/github/github.ts';
import { buildIdOfToken, isDispatchOf } from '../github/find-runs.ts';
import type { Build } from './build.ts';
import { shortRef } from './concurrency-group.ts';

/** How long the other program may send its dispatch before it triggers Hapax, in milliseconds. */
export const EARLY_MS = 60_000;

/** A build whose dispatch another program sends, reduced to what matching runs needs. */
export interface ShadowBuild {
  id: number;
  request: Pick<BuildRequest, 'workflow' | 'ref' | 'inputs'>;
  created_at: string;
  /** Runs created later than this are not for this build; ISO 8601. */
  until: string;
  /** Its run, according to the record. */
  run_id: number | null;
  /** Whether it has no run and may still get one. */
  waits: boolean;
}

/** A run that belongs to a build for good, as its own or as one too many. */
export interface TakenRun {
  run_id: number;
  run_url: string;
  /** ISO 8601. */
  run_created_at: string;
  build_id: number;
  doubled: boolean;
}

/** Runs matched with builds. */
export interface Comparison {
  /** Runs for waiting builds, by the id of the build. */
  found: Map<number, ListedRun>;
  /** Surplus runs, oldest first, by the id of the build. */
  doubled: Map<number, ListedRun[]>;
  /** Runs that no trigger asked for, oldest first. */
  unheard: ListedRun[];
}

/**
 * Finds which runs another program started for which builds. A run may be for a build if it has the same workflow and ref, and was
 * created between a minute before the trigger and the end of the build's window. If its title shows all inputs of a build, it is for
 * that build. Otherwise the oldest run is for the oldest build. Leaves out runs that Hapax started itself and runs that are taken.
 * @param runs the runs of one repository.
 * @param workflow the workflow whose unrequested runs count as unheard.
 */
export function compareRuns(
  builds: readonly ShadowBuild[],
  runs: readonly ListedRun[],
  taken: readonly TakenRun[],
  workflow: string,
): Comparison {
  const ids = new Set([...taken, ...builds].map(({ run_id }) => run_id));
  const free = [...new Map(runs.map((run) => [run.run_id, run])).values()]
    .filter((run) => !ids.has(run.run_id) && buildIdOfToken(run.title) === undefined)
    .toSorted((a, b) => age(a, b) || a.run_id - b.run_id);
  const served = new Set(taken.filter(({ doubled }) => !doubled).map(({ build_id }) => build_id));
  const waiting = builds
    .filter(({ waits, id }) => waits && !served.has(id))
    .toSorted((a, b) => age(a, b) || a.id - b.id);
  const found = new Map<number, ListedRun>();
  const given = new Set<number>();
  for (const isFor of [isShownFor, isPossibleFor]) {
    for (const run of free) {
      const build = waiting.find((one) => !found.has(one.id) && isFor(run, one));
      if (!build || given.has(run.run_id)) continue;
      found.set(build.id, run);
      given.add(run.run_id);
    }
  }
  const doubled = new Map<number, ListedRun[]>();
  const unheard: ListedRun[] = [];
  const having = builds
    .filter(({ id, waits }) => !waits || served.has(id) || found.has(id))
    .toSorted((a, b) => age(a, b) || a.id - b.id);
  for (const run of free.filter(({ run_id }) => !given.has(run_id))) {
    const build = having.findLast((one) => isShownFor(run, one)) ?? having.findLast((one) => isPossibleFor(run, one));
    if (build) doubled.set(build.id, [...(doubled.get(build.id) ?? []), run]);
    else if (isDispatchOf(run, workflow)) unheard.push(run);
  }
  return { found, doubled, unheard };
}

/** Converts a recorded build for {@link compareRuns}. */
export function shadowOf(
  build: Pick<Build, 'id' | 'request' | 'created_at' | 'dedup_until' | 'status' | 'completed_at' | 'workflow_run_id'>,
): ShadowBuild {
  const { id, request, created_at, dedup_until, status, completed_at, workflow_run_id } = build;
  // After a failure or a cancellation, an equal request makes another build.
  const endsEarly = completed_at !== null && status !== 'success' && completed_at < dedup_until;
  return {
    ...{ id, request, created_at },
    until: endsEarly ? completed_at : dedup_until,
    run_id: workflow_run_id,
    waits: completed_at === null && workflow_run_id === null,
  };
}

function isPossibleFor(run: ListedRun, { request, created_at, until }: ShadowBuild): boolean {
  const earliest = new Date(Date.parse(created_at) - EARLY_MS).toISOString();
  const created = new Date(run.created_at).toISOString();
  return (
    isDispatchOf(run, request.workflow) &&
    (run.head_branch === null || run.head_branch === shortRef(request.ref)) &&
    created >= earliest &&
    created <= until
  );
}

/** Says whether a run may be for the build and its title shows every input. */
function isShownFor(run: ListedRun, build: ShadowBuild): boolean {
  if (!isPossibleFor(run, build)) return false;
  const values = Object.values(build.request.inputs)
    .map(wordsOf)
    .filter((words) => words.trim() !== '');
  const title = wordsOf(run.title);
  return values.length > 0 && values.every((value) => title.includes(value));
}

/** Returns the words of a text, each between spaces. */
function wordsOf(text: string): string {
  return ` ${text.replaceAll(/[^\p{L}\p{N}.]+/gu, ' ').trim()} `;
}

function age(a: { created_at: string }, b: { created_at: string }): number {
  return Date.parse(a.created_at) - Date.parse(b.created_at);
}
