import type { ConfigurationDefinition } from '../../contracts/builds/configuration.ts';
import type { CredentialUrls, ForgePlace } from '../../contracts/forges/forge.ts';
import type { Settings } from '../../contracts/settings.ts';
import { matchesRepository } from '../keys/grant.ts';
import { capabilitiesOf } from './capabilities.ts';

/** The addresses of forges (GitHub's API by the settings, and that of each named credential), and the repositories that may be built. */
export interface ForgeAddresses {
  github: string;
  credentials: CredentialUrls;
  /** Patterns of the repositories that configurations may name; undefined for all. */
  repositories?: readonly string[] | undefined;
}

/** Returns the forges that the settings know. */
export function forgeAddressesOf(
  settings: Pick<Settings, 'GITHUB_API_URL' | 'FORGE_CREDENTIALS' | 'REPOSITORIES_ALLOWED'>,
): ForgeAddresses {
  const credentials = new Map([...settings.FORGE_CREDENTIALS].map(([name, { apiUrl }]) => [name, apiUrl]));
  return { github: settings.GITHUB_API_URL, credentials, repositories: settings.REPOSITORIES_ALLOWED };
}

/** The reason why a repository is not built. */
export const NOT_ALLOWED = 'is not one of REPOSITORIES_ALLOWED';

type Placed = Pick<ConfigurationDefinition, 'forge' | 'api_url' | 'credential'>;

/** A fault in a configuration's forge. `not_supported`: the forge could never do it. */
export type PlaceFault = { path: string; message: string; not_supported?: true };

/**
 * Returns the reasons why no build could run on the forge that a configuration names; empty if there are none. A URL must be the one
 * of its credential: another server would get the token.
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

/** Returns where the builds of a configuration run; undefined for GitHub by the settings. `missing`: its credential is no longer set. */
export function placeOf(
  { forge, credential }: Placed,
  { credentials }: Pick<ForgeAddresses, 'credentials'>,
): ForgePlace | 'missing' | undefined {
  if (credential === null) return undefined;
  const url = credentials.get(credential);
  return url === undefined ? 'missing' : { kind: forge, api_url: url, credential };
}
