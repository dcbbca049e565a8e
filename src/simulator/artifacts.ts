import { z } from 'zod';
import { type Answer, ok } from './answer.ts';
import { boundsOf } from './listing.ts';
import { forgeTime, headShaOf, numberOf } from './resources.ts';
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
export const KEPT_MS = 90 * 86_400_000;

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
  const { start, end } = boundsOf(url.searchParams, size);
  const artifacts = left
    .slice(start, end)
    .map((artifact, index) => shape(run, state, artifact, run.id * 1_000 + start + index, url.origin));
  return ok({ total_count: left.length, artifacts });
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
    created_at: forgeTime(state.at),
    updated_at: forgeTime(state.at),
    expires_at: forgeTime(state.at + KEPT_MS),
    workflow_run: {
      id: run.id,
      repository_id: repositoryId,
      head_repository_id: repositoryId,
      head_branch: run.ref,
      head_sha: headShaOf(run),
    },
  };
}
