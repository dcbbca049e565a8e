import type { TriggerBody } from '../../contracts/builds/build.ts';
import { type BuildConfiguration, ENVIRONMENT_CONFIGURATION } from '../../contracts/builds/configuration.ts';
import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { Build } from '../../domain/builds/build.ts';
import { inputsFault, refOf, resolveRequest } from '../../domain/builds/configuration.ts';
import { type ForgeAddresses, NOT_ALLOWED, placeOf } from '../../domain/forges/place.ts';
import { matchesRepository } from '../../domain/keys/grant.ts';
import type { Configurations } from '../configurations/configurations.ts';
import { Refusal } from '../refusal.ts';

/** The build that a trigger asks for. */
export interface ResolvedTrigger {
  configuration: BuildConfiguration;
  request: BuildRequest;
  /** The request as its fingerprint saw it while `refs/heads/main` and `main` were two branches, if that differs. */
  formerRequest?: BuildRequest;
}

/**
 * Resolves a trigger under the newest version of its configuration. If its Idempotency-Key names an earlier build, uses the
 * version that build used: a client that retries says the same, whatever became of the configuration meanwhile.
 *
 * @throws {Refusal} if no build can be made from it.
 */
export async function resolveTrigger(
  configurations: Pick<Configurations, 'get' | 'byName' | 'version'>,
  body: TriggerBody,
  {
    correlationInput,
    forges,
  }: { correlationInput: string; forges: Pick<ForgeAddresses, 'credentials' | 'repositories'> },
  earlier: Pick<Build, 'config_id' | 'config_version'> | undefined,
): Promise<ResolvedTrigger> {
  const { config: name, config_id: id = 1 } = body;
  const newest = await (name === undefined ? configurations.get(id) : configurations.byName(name));
  if (!newest) {
    const detail = name === undefined ? `config_id ${id} does not exist` : `no build configuration is named ${name}`;
    throw new Refusal('unknown_configuration', { detail });
  }
  if (newest.retired && !earlier) {
    throw new Refusal('configuration_retired', {
      detail: `configuration ${newest.id} (${newest.name}) was retired at ${newest.created_at}; a PUT makes it active again`,
    });
  }
  const changed = earlier?.config_id === newest.id && earlier.config_version !== newest.version;
  const used = changed ? await configurations.version(newest.id, earlier.config_version) : undefined;
  const configuration = used ?? newest;
  const { definition } = configuration;
  const { repository } = definition;
  // The configuration may be older than the rule that forbids its repository. The environment's own comes from the
  // settings, as that rule does, so it is allowed.
  const isOwn = configuration.id === ENVIRONMENT_CONFIGURATION.id;
  if (forges.repositories && !isOwn && !matchesRepository(forges.repositories, repository)) {
    throw new Refusal('repository_not_allowed', { detail: `${repository} ${NOT_ALLOWED}` });
  }
  const forge = requirePlace(configuration, forges);
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
