import { LIMITS } from '../../contracts/budgets.ts';
import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { ShadowedBuildView, ShadowReport } from '../../contracts/builds/shadow.ts';
import type { ListedRun } from '../../contracts/github/github.ts';
import type { Build } from '../../domain/builds/build.ts';
import { placeOfRuns } from '../../domain/builds/concurrency-group.ts';
import { compareRuns, EARLY_MS, shadowOf, type TakenRun } from '../../domain/builds/shadow-runs.ts';
import type { ForgeAddresses } from '../../domain/forges/place.ts';
import type { Db } from '../../store/database.ts';
import { listShadowBuilds } from '../../store/shadow/shadow-build-list.ts';
import { listShadowRuns } from '../../store/shadow/shadow-run-list.ts';
import { Refusal } from '../refusal.ts';
import { requirePlace } from './resolve-trigger.ts';

/** Lists a forge's runs of a repository, newest first, or says why it cannot. */
export type ListRuns = (
  request: Pick<BuildRequest, 'forge' | 'repository'>,
  ageMs: number,
) => Promise<{ runs: readonly ListedRun[]; complete: boolean } | { fault: string }>;

export interface ShadowDependencies {
  db: Db;
  forges: ForgeAddresses;
  listRuns: ListRuns;
}

const DAY_MS = 86_400_000;

/** How much earlier a build may have been triggered and still have a run in the compared time. */
const BESIDE_MS = 3_600_000;

/**
 * Compares what Hapax would have dispatched for a configuration with the runs that its forge lists.
 * @throws {Refusal} if the credential is not set, or the forge does not list its runs.
 */
export async function compareShadow(
  { db, forges, listRuns }: ShadowDependencies,
  configuration: BuildConfiguration,
  asked = new Date(Date.now() - DAY_MS).toISOString(),
): Promise<ShadowReport> {
  const { repository, workflow } = configuration.definition;
  const forge = requirePlace(configuration, forges);
  const place = { repository, ...(forge ? { forge } : {}) };
  const listed = await listRuns(place, Math.max(0, Date.now() - Date.parse(earlier(asked, EARLY_MS))));
  if ('fault' in listed) throw new Refusal('forge_unavailable', { detail: listed.fault, retryAfterSeconds: 30 });
  const most = LIMITS.builds.comparedBuilds;
  const builds = await listShadowBuilds(db, repository, earlier(asked, BESIDE_MS), most);
  const since = latest(
    asked,
    builds.length === most ? builds.at(-1)?.created_at : undefined,
    listed.complete ? undefined : listed.runs.at(-1)?.created_at,
  );
  const taken = await listShadowRuns(db, placeOfRuns(place), earlier(asked, BESIDE_MS + EARLY_MS));
  const compared = compareRuns(builds.map(shadowOf), listed.runs, taken, workflow);
  const unheard = compared.unheard.filter(({ created_at }) => Date.parse(created_at) >= Date.parse(since));
  const views = builds
    .filter(({ config_id, created_at }) => config_id === configuration.id && created_at >= since)
    .map((build) => viewOf(build, taken, compared));
  const count = (outcome: ShadowedBuildView['outcome']) => views.filter((view) => view.outcome === outcome).length;
  return {
    ...{ config_id: configuration.id, repository, workflow, since },
    triggered: views.length,
    ...{ matched: count('matched'), lost: count('lost'), waiting: count('waiting') },
    doubled: views.reduce((sum, { doubled }) => sum + doubled.length, 0),
    unheard: unheard.length,
    builds: views,
    unheard_runs: unheard.map((run) => ({ ...runView(run), ref: run.head_branch, title: run.title })),
  };
}

function viewOf(build: Build, taken: readonly TakenRun[], compared: ReturnType<typeof compareRuns>): ShadowedBuildView {
  const { id, request, status, conclusion, started_at } = build;
  const kept = taken
    .filter(({ build_id }) => build_id === id)
    .map((one) => ({ ...one, created_at: one.run_created_at }));
  const run = kept.find(({ doubled }) => !doubled) ?? compared.found.get(id);
  return {
    ...{ build_id: id, ref: request.ref, status },
    outcome: run
      ? 'matched'
      : build.completed_at === null
        ? 'waiting'
        : conclusion === 'cancelled'
          ? 'cancelled'
          : 'lost',
    would_dispatch_at: started_at,
    run: run ? runView(run) : null,
    later_seconds: run && started_at ? (Date.parse(run.created_at) - Date.parse(started_at)) / 1_000 : null,
    doubled: [...kept.filter(({ doubled }) => doubled), ...(compared.doubled.get(id) ?? [])].map(runView),
  };
}

function runView({ run_id, run_url, created_at }: { run_id: number; run_url: string; created_at: string }) {
  return { workflow_run_id: run_id, run_url, created_at: new Date(created_at).toISOString() };
}

function earlier(time: string, ms: number): string {
  return new Date(Date.parse(time) - ms).toISOString();
}

function latest(...times: Array<string | undefined>): string {
  return new Date(Math.max(...times.flatMap((time) => (time ? [Date.parse(time)] : [])))).toISOString();
}
