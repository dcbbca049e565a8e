import {
  type BuildConfiguration,
  type ConfigurationView,
  configurationView,
} from '../contracts/builds/configuration.ts';

/** Returns a version of a configuration as the API shows it, with its members always in the order of the schema. */
export function configurationViewOf({ definition, ...version }: BuildConfiguration): ConfigurationView {
  const view: ConfigurationView = { ...version, ...definition };
  const names = Object.keys(configurationView.shape) as Array<keyof ConfigurationView>;
  return Object.fromEntries(names.map((name) => [name, view[name]])) as ConfigurationView;
}
