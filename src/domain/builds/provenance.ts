import type { ProvenanceStatement, RunArtifacts } from '../../contracts/builds/artifact.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Build } from './build.ts';

/** The part of a run's URL that follows its repository's URL, on every forge. */
const RUN_PATH = '/actions/runs/';
/** The build type of workflow runs in GitHub's own attestations. */
const GITHUB_BUILD_TYPE = 'https://actions.github.io/buildtypes/workflow/v1';
const OTHER_BUILD_TYPE = 'urn:hapax:workflow-run:v1';

/** One run of a build, as recorded. */
export interface RecordedRun {
  /** URL of its page. */
  url: string;
  /** URL of its repository. */
  repositoryUrl: string;
  /** Commit that it works on, if the forge says. */
  commit: string | undefined;
}

/** Finds a run of a build by its id; undefined if the record has no such run. */
export function recordedRunIn(events: readonly RecordedEvent[], runId: number | null): RecordedRun | undefined {
  const made = events.findLastIndex(
    ({ type, data }) => type === 'workflow_triggered' && data.workflow_run_id === runId,
  );
  if (made === -1) return undefined;
  const url = String(events[made]!.data.run_url);
  const next = events.findIndex(({ type }, index) => index > made && type === 'workflow_triggered');
  const told = events.slice(made, next === -1 ? undefined : next).findLast(({ data }) => data.commit !== undefined);
  const end = url.lastIndexOf(RUN_PATH);
  return {
    url,
    repositoryUrl: end === -1 ? url : url.slice(0, end),
    commit: told?.data.commit as string | undefined,
  };
}

/** Finds the event that lists the artifacts of a build's current run; undefined if they are not recorded yet. */
function recordOf(events: readonly RecordedEvent[], runId: number | null): RecordedEvent | undefined {
  return events.findLast(({ type, data }) => type === 'artifacts_recorded' && data.workflow_run_id === runId);
}

/** Returns the artifacts of a build's current run; null if they are not recorded. */
export function artifactsIn(events: readonly RecordedEvent[], runId: number | null): RunArtifacts | null {
  return (recordOf(events, runId)?.data as RunArtifacts | undefined) ?? null;
}

/**
 * Returns where the artifacts of a build came from, according to the record: an in-toto statement with SLSA provenance. Undefined if
 * no artifact with a digest is recorded.
 */
export function provenanceOf(build: Build, events: readonly RecordedEvent[]): ProvenanceStatement | undefined {
  const record = recordOf(events, build.workflow_run_id);
  const run = recordedRunIn(events, build.workflow_run_id);
  if (!record || !run) return undefined;
  const { artifacts, run_attempt } = record.data as unknown as RunArtifacts;
  const subject = artifacts.flatMap(({ name, digest }) => {
    const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(digest ?? '') ?? [];
    return sha256 === undefined ? [] : [{ name, digest: { sha256 } }];
  });
  if (subject.length === 0) return undefined;
  const { workflow, ref, inputs, forge } = build.request;
  const ended = events.findLast(({ type, seq }) => type === 'build_completed' && seq < record.seq);
  const path = forge === undefined && /\.ya?ml$/.test(workflow) ? `.github/workflows/${workflow}` : workflow;
  const commit = run.commit === undefined ? {} : { gitCommit: run.commit };
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: forge === undefined || forge.kind === 'github' ? GITHUB_BUILD_TYPE : OTHER_BUILD_TYPE,
        externalParameters: { workflow: { repository: run.repositoryUrl, path, ref }, inputs },
        internalParameters: { event_name: 'workflow_dispatch', build_id: build.id },
        resolvedDependencies: [{ uri: `git+${run.repositoryUrl}@${ref}`, digest: commit }],
      },
      runDetails: {
        builder: { id: new URL(run.repositoryUrl).origin },
        metadata: {
          invocationId: `${run.url}/attempts/${run_attempt}`,
          startedOn: build.started_at ?? build.created_at,
          finishedOn: ended?.occurred_at ?? record.occurred_at,
        },
        byproducts: [{ name: `${record.stream} event ${record.seq}`, digest: { sha256: record.hash } }],
      },
    },
  };
}
