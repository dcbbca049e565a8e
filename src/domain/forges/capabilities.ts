import type { ForgeKind, ForgePlace } from '../../contracts/forges/forge.ts';

/**
 * What a forge can do, as Hapax uses it. Workflows, the API and adapters ask this table, and never for the name of a forge. Rows were
 * measured: GitHub by its documentation and API, Gitea on 1.26, Forgejo by the sources of 16.
 */
export interface Capabilities {
  /** As people call it. */
  name: string;
  /** The response to a dispatch names the run. */
  names_run: boolean;
  /** A listing shows the token of a run: in its title, or in what it was dispatched with. */
  lists_tokens: boolean;
  /** A dispatch with an input that the workflow does not declare is refused; else the input is dropped without a word. */
  refuses_unknown_inputs: boolean;
  /** A workflow can be addressed by a number as well as by its file. */
  numbers_workflows: boolean;
  /** A run can be stopped by the API. */
  cancels: boolean;
  /** A run that ended can be run again by the API. */
  reruns: boolean;
  /** The same of its failed jobs alone. */
  reruns_failed_jobs: boolean;
  /** Listings have ETags, so that looking at them again is cheap; else each run is read by itself. */
  etags: boolean;
  /** Responses carry an id by which the forge's operators find the request. */
  request_ids: boolean;
  /** A run shows its number of attempts; else it is told from its jobs. */
  attempts: boolean;
  /** A run shows when it was made; else only that it was before it began. */
  created_at: boolean;
  /** Webhooks that were not received can be listed and asked for again. */
  redelivers: boolean;
  /** Writes of one credential have to be kept apart (GITHUB_WRITE_INTERVAL). */
  limits_writes: boolean;
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
  redelivers: true,
  limits_writes: true,
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
  redelivers: false,
  limits_writes: false,
};

const FORGEJO: Capabilities = {
  ...GITEA,
  name: 'Forgejo',
  cancels: true,
  reruns: false,
  reruns_failed_jobs: false,
  created_at: true,
};

const TABLE: Readonly<Record<ForgeKind, Capabilities>> = { github: GITHUB, gitea: GITEA, forgejo: FORGEJO };

/** What the forge of a build can do. @param place undefined: the GitHub of the GITHUB_ settings. */
export function capabilitiesOf(place: Pick<ForgePlace, 'kind'> | undefined): Capabilities {
  return TABLE[place?.kind ?? 'github'];
}
