import {
  type BuildConfiguration,
  type ConfigurationContent,
  ENVIRONMENT_CONFIGURATION,
} from '../../contracts/builds/configuration.ts';
import { definitionFaults, definitionOf } from '../../domain/builds/configuration.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { type ForgeAddresses, placeFaults } from '../../domain/forges/place.ts';
import {
  type ConfigurationChange,
  type ConfigurationTarget,
  saveConfiguration,
} from '../../store/builds/configuration-save.ts';
import type { Db } from '../../store/database.ts';
import { type CallbackHosts, checkedTarget } from '../callbacks/callback-of.ts';
import { invalidRequest, Refusal } from '../refusal.ts';

export interface ChangeDependencies {
  db: Db;
  /** The input that no configuration may set: GITHUB_CORRELATION_INPUT, empty for none. */
  correlationInput: string;
  callbackHosts: CallbackHosts;
  forges: ForgeAddresses;
}

export interface ConfigurationEdit {
  target: ConfigurationTarget;
  /** The new name and content; undefined to retire the configuration. */
  to: { name: string; content: ConfigurationContent } | undefined;
  caller: string;
  expects: (version: number | undefined) => boolean;
  /** Idempotency-Key of a request that creates a configuration. */
  key?: string | undefined;
}

/**
 * Creates, changes, retires or restores a build configuration.
 * @throws {Refusal} if nothing was saved.
 */
export async function changeConfiguration(
  { db, correlationInput, callbackHosts, forges }: ChangeDependencies,
  { target, to, caller, expects, key }: ConfigurationEdit,
): Promise<{ configuration: BuildConfiguration; created: boolean; replayed?: true }> {
  refuseEnvironment(target, to?.name);
  const change: ConfigurationChange = { retired: to === undefined, changed_by: caller };
  if (to) {
    change.name = to.name;
    change.definition = definitionOf(to.content);
    const misplaced = placeFaults(change.definition, forges);
    const impossible = misplaced.find(({ not_supported }) => not_supported);
    if (impossible) throw new Refusal('not_supported', { detail: impossible.message });
    const faults = [...definitionFaults(change.definition, correlationInput), ...misplaced];
    const { callback_url: url } = change.definition;
    const target = url === null ? undefined : await checkedTarget(url, callbackHosts);
    if (target && 'fault' in target) faults.push({ path: 'callback_url', message: target.fault });
    if (faults.length > 0) {
      throw invalidRequest(faults.map(({ path, message }) => ({ path: `body.${path}`, message })));
    }
  }
  const scoped = key === undefined ? undefined : requestKey('', { caller, route: 'POST /configs', key });
  const saved = await saveConfiguration(db, target, change, expects, scoped);
  switch (saved.kind) {
    case 'saved':
      return saved;
    case 'key_reused':
      throw new Refusal('idempotency_key_reused', {
        detail: `${saved.made} was already made with this key with other content; use a new key`,
      });
    case 'missing':
      throw new Refusal('not_found', { detail: 'there is no such build configuration' });
    case 'name_taken':
      throw new Refusal('configuration_name_taken', {
        detail: `configuration ${saved.id} already has the name ${to?.name}`,
      });
    case 'unexpected':
      throw new Refusal('precondition_failed', {
        detail:
          saved.version === undefined
            ? 'there is no such build configuration'
            : `the current version is ${saved.version}; read it and decide again`,
      });
    default:
      saved satisfies never;
      throw new Error('unreachable');
  }
}

function refuseEnvironment(target: ConfigurationTarget, name: string | undefined): void {
  const { id, name: reserved } = ENVIRONMENT_CONFIGURATION;
  if (target !== 'new' && 'id' in target && target.id === id) {
    throw new Refusal('configuration_of_environment', {
      detail: `configuration ${id} comes from GITHUB_REPO and GITHUB_WORKFLOW; change these settings, or make another configuration`,
    });
  }
  if (name === reserved) {
    throw new Refusal('configuration_of_environment', {
      detail: `the name ${reserved} belongs to configuration ${id}, which comes from GITHUB_REPO and GITHUB_WORKFLOW`,
    });
  }
}
