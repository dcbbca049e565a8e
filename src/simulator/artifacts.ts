import { z } from 'zod';
import type { Answer } from './answer.ts';
import { gitHubTime, headShaOf, numberOf } from './resources.ts';
import type { Moment, Run } from './run.ts';

/** An artifact of a run, as a test sets it. */
export const plannedArtifactSchema = z.strictObject({
  name: z.string(),
  size_in_bytes: z.int().default(1_024),
  /** `sha256:` and hexadecimal digits; null: as for an artifact from before upload-artifact v4. */
  digest: z.string().nullable().default(null),
  /** Whether GitHub has deleted it. */
  expired: z.boolean().default(false),
});

type PlannedArtifact = z.infer<typeof plannedArtifactSchema>;

/** How long GitHub keeps an artifact. */
const KEPT_MS = 90 * 86_400_000;

/**
 * Returns one page of a run's artifacts in the form of a forge. There are none unless the run has succeeded. @param size the parameter for
 * the page size.
 */
export function artifactPage(
  run: Run,
  state: Moment,
  planned: readonly PlannedArtifact[],
  url: URL,
  size: 'per_page' | 'limit',
  shape: (run: Run, state: Moment, artifact: PlannedArtifact, id: number, origin: string) => object,
): Answer {
  const left = state.conclusion === 'success' ? planned : [];
  const perPage = Math.min(100, Number(url.searchParams.get(size) ?? 30));
  const page = Number(url.searchParams.get('page') ?? 1);
  const shown = left.slice((page - 1) * perPage, page * perPage);
  const artifacts = shown.map((artifact, index) =>
    shape(run, state, artifact, run.id * 1_000 + (page - 1) * perPage + index, url.origin),
  );
  return { status: 200, body: { total_count: left.length, artifacts } };
}

/** Returns an element of the response of GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts. */
export function artifactAnswer(run: Run, state: Moment, artifact: PlannedArtifact, id: number, origin: string) {
  const url = `${origin}/repos/${run.repository}/actions/artifacts/${id}`;
  const repositoryId = numberOf(run.repository);
  return {
    id,
    node_id: `MDg_${id}`,
    name: artifact.name,
    size_in_bytes: artifact.size_in_bytes,
    url,
    archive_download_url: `${url}/zip`,
    expired: artifact.expired,
    digest: artifact.digest,
    created_at: gitHubTime(state.at),
    updated_at: gitHubTime(state.at),
    expires_at: gitHubTime(state.at + KEPT_MS),
    workflow_run: {
      id: run.id,
      repository_id: repositoryId,
      head_repository_id: repositoryId,
      head_branch: run.ref,
      head_sha: headShaOf(run),
    },
  };
}
