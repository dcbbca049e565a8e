import type { TriggerBody } from '../../contracts/builds/build.ts';
import { type BuildConfiguration, ENVIRONMENT_CONFIGURATION } from '../../contracts/builds/configuration.ts';
import type { BuildRequest } from '../../contracts/builds/event.ts';
import { inputsFault, refOf, resolveRequest } from '../../domain/builds/configuration.ts';
import { type ForgeAddresses, NOT_ALLOWED, placeOf } from '../../domain/forges/place.ts';
import { matchesRepository } from '../../domain/keys/grant.ts';
import type { RequestedBuild } from '../../store/builds/build-find.ts';
import type { Configurations } from '../configurations/configurations.ts';
import { Refusal } from '../refusal.ts';

/** The build that a trigger asks for. */
export interface ResolvedTrigger {
  configuration: BuildConfiguration;
  request: BuildRequest;
  /** The request as its fingerprint saw it while `refs/heads/main` and `main` were two branches, if that differs. */
  formerRequest?: BuildRequest;
}

type Forges = Pick<ForgeAddresses, 'credentials' | 'repositories'>;
type Known = Pick<Configurations, 'get' | 'byName' | 'version'>;
type Earlier = Pick<RequestedBuild, 'config_id' | 'config_version' | 'forge'>;

/**
 * Resolves a trigger under the newest version of its configuration. If its Idempotency-Key names an earlier build, uses the
 * version and the forge that build used: a client that retries says the same, whatever became of configuration and settings meanwhile.
 *
 * @throws {Refusal} if no build can be made from it.
 */
export async function resolveTrigger(
  configurations: Known,
  body: TriggerBody,
  { correlationInput, forges }: { correlationInput: string; forges: Forges },
  earlier: Earlier | undefined,
): Promise<ResolvedTrigger> {
  const used = earlier && (await usedBefore(configurations, body, earlier));
  const configuration = used ?? (await newestOf(configurations, body));
  if (configuration.retired && !earlier) {
    throw new Refusal('configuration_retired', {
      detail: `configuration ${configuration.id} (${configuration.name}) was retired at ${configuration.created_at}; a PUT makes it active again`,
    });
  }
  const { definition } = configuration;
  const forge = used ? earlier?.forge : placeNow(configuration, forges);
  const placed = (request: BuildRequest): BuildRequest => (forge ? { ...request, forge } : request);
  const resolution = resolveRequest(definition, body);
  if (resolution.kind !== 'resolved') throw new Refusal(resolution.kind, { detail: resolution.detail });
  const fault = inputsFault(resolution.request.inputs, correlationInput);
  if (fault) throw new Refusal('unprocessable_inputs', { detail: fault });
  const ref = refOf(definition, body);
  const former = ref === resolution.request.ref ? undefined : resolveRequest(definition, body, ref);
  return {
    configuration,
    request: placed(resolution.request),
    ...(former?.kind === 'resolved' ? { formerRequest: placed(former.request) } : {}),
  };
}

async function newestOf(
  configurations: Known,
  { config: name, config_id: id = 1 }: TriggerBody,
): Promise<BuildConfiguration> {
  const newest = await (name === undefined ? configurations.get(id) : configurations.byName(name));
  if (newest) return newest;
  const detail = name === undefined ? `config_id ${id} does not exist` : `no build configuration is named ${name}`;
  throw new Refusal('unknown_configuration', { detail });
}

/** Returns the version that an earlier build used, if the request names its configuration as it is called now or was called then. */
async function usedBefore(
  configurations: Known,
  { config: name, config_id: id = 1 }: TriggerBody,
  { config_id, config_version }: Earlier,
): Promise<BuildConfiguration | undefined> {
  const used = await configurations.version(config_id, config_version);
  if (name === undefined ? id === config_id : used?.name === name) return used;
  return name !== undefined && (await configurations.byName(name))?.id === config_id ? used : undefined;
}

/** Returns the forge of a new build; undefined for GitHub by the settings. @throws {Refusal} if the settings do not allow the build. */
function placeNow(configuration: BuildConfiguration, forges: Forges): BuildRequest['forge'] {
  const { id, definition } = configuration;
  // The configuration may be older than the rule that forbids its repository. The environment's own comes from the
  // settings, as that rule does, so it is allowed.
  const isOwn = id === ENVIRONMENT_CONFIGURATION.id;
  if (forges.repositories && !isOwn && !matchesRepository(forges.repositories, definition.repository)) {
    throw new Refusal('repository_not_allowed', { detail: `${definition.repository} ${NOT_ALLOWED}` });
  }
  return requirePlace(configuration, forges);
}

/** Returns where the builds of a configuration run; undefined for GitHub by the settings. @throws {Refusal} if its credential is not set. */
export function requirePlace(
  { id, name, definition }: BuildConfiguration,
  forges: Pick<ForgeAddresses, 'credentials'>,
) {
  const forge = placeOf(definition, forges);
  if (forge !== 'missing') return forge;
  const detail = `FORGE_CREDENTIALS has no ${definition.credential}, which configuration ${id} (${name}) names; set it`;
  throw new Refusal('credential_missing', { detail });
}
