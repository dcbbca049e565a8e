import type { BuildConfiguration, ConfigurationView } from '../contracts/builds/configuration.ts';

/** Returns a version of a configuration as the API shows it, with its members always in this order. */
export function configurationViewOf(configuration: BuildConfiguration): ConfigurationView {
  const { id, version, name, definition, retired, changed_by, created_at } = configuration;
  const { forge, api_url, credential, repository, workflow, default_ref, inputs, constants, templates, yaml, mapping } =
    definition;
  const { deadline, concurrency, callback_url, dispatch } = definition;
  return {
    ...{ id, version, name },
    ...{ forge, api_url, credential },
    ...{
      repository,
      workflow,
      default_ref,
      inputs,
      constants,
      templates,
      yaml,
      mapping,
      deadline,
      concurrency,
      callback_url,
      dispatch,
    },
    ...{ retired, changed_by, created_at },
  };
}
