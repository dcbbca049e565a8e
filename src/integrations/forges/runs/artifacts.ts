import { z } from 'zod';
import { LIMITS } from '../../../contracts/budgets.ts';
import type { Artifact } from '../../../contracts/builds/artifact.ts';
import { ownerAndRepo } from '../../../domain/github/repository.ts';
import type { RunPlace } from '../dialects/dialect.ts';
import { expectSuccess } from '../forge-error.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import { fetchBundle } from './attestation-bundle.ts';

/** Artifacts of a run. */
export interface ListedArtifacts {
  /** As many as are recorded. */
  artifacts: Omit<Artifact, 'attestations'>[];
  /** How many more there are. */
  left_out: number;
}

const artifactPage = z.object({
  total_count: z.int(),
  artifacts: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      size_in_bytes: z.int(),
      expired: z.boolean(),
      /** Missing for artifacts from before upload-artifact v4, and on all forges but GitHub. */
      digest: z.string().nullish(),
      created_at: z.string().nullish(),
      expires_at: z.string().nullish(),
    }),
  ),
});

const attestationPage = z.object({
  attestations: z.array(z.object({ bundle: z.unknown(), bundle_url: z.string().nullish() })),
});

/** Returns the artifacts of all attempts of a run, with one request. @param page the parameter for the page size. */
export async function readArtifacts(
  requests: PacedRequests,
  { repository, run_id }: RunPlace,
  page: Record<string, number> = { per_page: LIMITS.artifacts.entries },
): Promise<ListedArtifacts> {
  const route = 'GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts';
  const response = requests.get(route, { ...ownerAndRepo(repository), run_id, ...page });
  const read = artifactPage.parse((await expectSuccess(response, requests.forge)).body);
  const artifacts = read.artifacts.slice(0, LIMITS.artifacts.entries).map((artifact) => ({
    id: artifact.id,
    name: artifact.name.slice(0, LIMITS.artifacts.nameCharacters).toWellFormed(),
    size_bytes: artifact.size_in_bytes,
    digest: artifact.digest ?? null,
    created_at: artifact.created_at ?? null,
    expires_at: artifact.expires_at ?? null,
    expired: artifact.expired,
  }));
  return { artifacts, left_out: Math.max(0, read.total_count - artifacts.length) };
}

/** Returns the attestations that GitHub keeps for a digest. GitHub responds with 404 if there are none. */
export async function readAttestations(
  requests: PacedRequests,
  repository: string,
  digest: string,
): Promise<unknown[]> {
  const route = 'GET /repos/{owner}/{repo}/attestations/{subject_digest}';
  const parameters = { subject_digest: digest, per_page: LIMITS.artifacts.attestations };
  const response = await requests.get(route, { ...ownerAndRepo(repository), ...parameters });
  if ('status' in response && response.status === 404) return [];
  const { attestations } = attestationPage.parse((await expectSuccess(response, requests.forge)).body);
  // Since July 2026, GitHub returns the URL of a bundle instead of the bundle.
  return Promise.all(
    attestations
      .slice(0, LIMITS.artifacts.attestations)
      .map(({ bundle, bundle_url }) => bundle ?? (bundle_url ? fetchBundle(bundle_url, requests.apiUrl) : null)),
  );
}
