import type { ConfigurationDefinition } from '../../contracts/builds/configuration.ts';
import type { CredentialUrls, ForgePlace } from '../../contracts/forges/forge.ts';
import type { Settings } from '../../contracts/settings.ts';
import { matchesRepository } from '../keys/grant.ts';
import { capabilitiesOf } from './capabilities.ts';

/** Where forges are: GitHub's API by the settings, and where each named credential leads; and what may be built there. */
export interface ForgeAddresses {
  github: string;
  credentials: CredentialUrls;
  /** Patterns of the repositories that configurations may name; undefined: all. */
  repositories?: readonly string[] | undefined;
}

/** The forges that the settings know. */
export function forgeAddressesOf(
  settings: Pick<Settings, 'GITHUB_API_URL' | 'FORGE_CREDENTIALS' | 'REPOSITORIES_ALLOWED'>,
): ForgeAddresses {
  const credentials = new Map([...settings.FORGE_CREDENTIALS].map(([name, { apiUrl }]) => [name, apiUrl]));
  return { github: settings.GITHUB_API_URL, credentials, repositories: settings.REPOSITORIES_ALLOWED };
}

/** Why a repository is not built. */
export const NOT_ALLOWED = 'is not one of REPOSITORIES_ALLOWED';

type Placed = Pick<ConfigurationDefinition, 'forge' | 'api_url' | 'credential'>;

/** What is wrong with a configuration's forge. `not_supported`: the forge could never do it. */
export type PlaceFault = { path: string; message: string; not_supported?: true };

/**
 * Why no build could run on the forge that a configuration names; empty where nothing is wrong. A URL is only ever the one of its
 * credential: another would be given the token.
 */
export function placeFaults(
  { forge, api_url, credential, repository, workflow, concurrency }: ConfigurationDefinition,
  { github, credentials, repositories }: ForgeAddresses,
): PlaceFault[] {
  const faults: PlaceFault[] = [];
  const { name, cancels, numbers_workflows } = capabilitiesOf({ kind: forge });
  if (credential === null && forge !== 'github') {
    faults.push({ path: 'credential', message: `${name} needs one; name a credential of FORGE_CREDENTIALS` });
  }
  const url = credential === null ? github : credentials.get(credential);
  if (credential !== null && url === undefined) {
    faults.push({ path: 'credential', message: `there is no credential ${credential} in FORGE_CREDENTIALS` });
  }
  if (api_url !== null && url !== undefined && api_url !== url) {
    faults.push({ path: 'api_url', message: `is not where the credential leads, which is ${url}; leave it out` });
  }
  if (repositories && !matchesRepository(repositories, repository)) {
    faults.push({ path: 'repository', message: NOT_ALLOWED });
  }
  if (!numbers_workflows && /^\d+$/.test(workflow)) {
    faults.push({ path: 'workflow', message: `${name} knows workflows by their file; write its name, as build.yml` });
  }
  if (!cancels && concurrency === 'cancel_previous') {
    const message = `${name} has no way to stop a run, so earlier builds cannot be cancelled; use queue`;
    faults.push({ path: 'concurrency', message, not_supported: true });
  }
  return faults;
}

/** Where the builds of a configuration run; undefined: GitHub by the settings. `missing`: its credential is not set any more. */
export function placeOf(
  { forge, credential }: Placed,
  { credentials }: Pick<ForgeAddresses, 'credentials'>,
): ForgePlace | 'missing' | undefined {
  if (credential === null) return undefined;
  const url = credentials.get(credential);
  return url === undefined ? 'missing' : { kind: forge, api_url: url, credential };
}
