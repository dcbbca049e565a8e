import type { ListedRun, Run } from '../contracts/github/github.ts';
import { placeOfRuns } from '../domain/builds/concurrency-group.ts';
import { type Comparison, compareRuns, EARLY_MS, shadowOf, type TakenRun } from '../domain/builds/shadow-runs.ts';
import type { Forges } from '../integrations/forges/forges.ts';
import type { Db } from '../store/database.ts';
import { listShadowBuilds } from '../store/shadow/shadow-build-list.ts';
import { listShadowRuns } from '../store/shadow/shadow-run-list.ts';
import { listShadowRunsOfBuild } from '../store/shadow/shadow-run-list-by-build.ts';
import { takeShadowRun } from '../store/shadow/shadow-run-take.ts';
import type { ShadowedBuild, ShadowPort } from '../workflows/ports/shadow.ts';
import { ageMs } from './age.ts';

/** Builds that were triggered this long before may share runs with a build. At most this many of them are compared. */
const BESIDE_MS = 86_400_000;
const BESIDE = 1_000;

export function shadowActivities(db: Db, forges: Pick<Forges, 'of'>): ShadowPort {
  return {
    async takeOtherRun(build) {
      const own = (await listShadowRunsOfBuild(db, build.build_id)).find(({ doubled }) => !doubled);
      if (own) return { run: runOf(own), complete: true };
      const { compared, complete, place } = await compare(db, forges, build, true);
      const found = compared.found.get(build.build_id);
      if (!found || !(await takeShadowRun(db, place, taken(found, build, false)))) return { run: null, complete };
      return { run: runOf(found), complete };
    },

    async takeDoubledRuns(build) {
      const { compared, place } = await compare(db, forges, build, false);
      for (const run of compared.doubled.get(build.build_id) ?? []) {
        await takeShadowRun(db, place, taken(run, build, true));
      }
      return (await listShadowRunsOfBuild(db, build.build_id)).filter(({ doubled }) => doubled).map(runOf);
    },
  };
}

/** Compares the list of runs with a build, and with all builds that may share runs with it. */
async function compare(
  db: Db,
  forges: Pick<Forges, 'of'>,
  { build_id, request, created_at, until }: ShadowedBuild,
  waits: boolean,
): Promise<{ compared: Comparison; complete: boolean; place: string }> {
  const earliest = Date.parse(created_at) - EARLY_MS;
  const { runs, complete } = await forges.of(request.forge).list(request.repository, ageMs(earliest));
  const place = placeOfRuns(request);
  const since = new Date(earliest - BESIDE_MS).toISOString();
  const others = (await listShadowBuilds(db, request.repository, since, BESIDE)).filter(({ id }) => id !== build_id);
  // The record may lack this build, if it was set back.
  const builds = [...others.map(shadowOf), { id: build_id, request, created_at, until, run_id: null, waits }];
  const compared = compareRuns(builds, runs, await listShadowRuns(db, place, since), request.workflow);
  return { compared, complete, place };
}

function taken({ run_id, run_url, created_at }: ListedRun, { build_id }: ShadowedBuild, doubled: boolean): TakenRun {
  return { run_id, run_url, run_created_at: new Date(created_at).toISOString(), build_id, doubled };
}

function runOf({ run_id, run_url }: Run): Run {
  return { run_id, run_url };
}
