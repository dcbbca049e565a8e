import type { BuildConfiguration, ConfigurationView } from '../contracts/configuration.ts';

/** A version of a configuration as the API shows it. */
export function configurationViewOf({ definition, ...version }: BuildConfiguration): ConfigurationView {
  const { id, name, retired, changed_by, created_at } = version;
  return { id, version: version.version, name, ...definition, retired, changed_by, created_at };
}
