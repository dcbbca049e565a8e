import type { ForgeKind, ForgePlace } from '../../contracts/forges/forge.ts';

/**
 * The capabilities of a forge that Hapax uses. Workflows, the API and adapters ask for these, and never for the name of a forge.
 * GitHub's are from its documentation and API, Gitea's were measured on 1.26, and Forgejo's are from the sources of 16.
 */
export interface Capabilities {
  /** Name for people. */
  name: string;
  /** Whether the response to a dispatch names the run. */
  names_run: boolean;
  /** Whether a listing shows the token of a run, in its title or in the inputs of its dispatch. */
  lists_tokens: boolean;
  /** Whether it refuses a dispatch with an input that the workflow does not declare. Otherwise it silently drops the input. */
  refuses_unknown_inputs: boolean;
  /** Whether a workflow can be addressed by a number as well as by its file. */
  numbers_workflows: boolean;
  /** Whether the API can stop a run. */
  cancels: boolean;
  /** Whether the API can rerun a run that ended. */
  reruns: boolean;
  /** Whether the API can rerun only its failed jobs. */
  reruns_failed_jobs: boolean;
  /** Whether listings have ETags, so that polling them is cheap. Otherwise each run is read by itself. */
  etags: boolean;
  /** Whether responses carry an id by which the forge's operators find the request. */
  request_ids: boolean;
  /** Whether a run shows its number of attempts. Otherwise its jobs show it. */
  attempts: boolean;
  /** Whether a run shows when it was created. Otherwise it only shows that this was before it started. */
  created_at: boolean;
  /** Whether the writes of one credential must be spaced out (GITHUB_WRITE_INTERVAL). */
  limits_writes: boolean;
  /** Whether the API can list the artifacts of a run. */
  lists_artifacts: boolean;
}

const GITHUB: Capabilities = {
  name: 'GitHub',
  names_run: true,
  lists_tokens: true,
  refuses_unknown_inputs: true,
  numbers_workflows: true,
  cancels: true,
  reruns: true,
  reruns_failed_jobs: true,
  etags: true,
  request_ids: true,
  attempts: true,
  created_at: true,
  limits_writes: true,
  lists_artifacts: true,
};

const GITEA: Capabilities = {
  name: 'Gitea',
  names_run: true,
  lists_tokens: true,
  refuses_unknown_inputs: false,
  numbers_workflows: false,
  cancels: false,
  reruns: true,
  reruns_failed_jobs: true,
  etags: false,
  request_ids: false,
  attempts: false,
  created_at: false,
  limits_writes: false,
  lists_artifacts: true,
};

const FORGEJO: Capabilities = {
  ...GITEA,
  name: 'Forgejo',
  cancels: true,
  reruns: false,
  reruns_failed_jobs: false,
  created_at: true,
  lists_artifacts: false,
};

const TABLE: Readonly<Record<ForgeKind, Capabilities>> = { github: GITHUB, gitea: GITEA, forgejo: FORGEJO };

/** Returns the capabilities of a build's forge. @param place undefined for the GitHub of the GITHUB_ settings. */
export function capabilitiesOf(place: Pick<ForgePlace, 'kind'> | undefined): Capabilities {
  return TABLE[place?.kind ?? 'github'];
}
