import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';

/** Returns a version with defaults for the fields that were added after it was saved. */
export function configurationFromRow(row: BuildConfiguration): BuildConfiguration {
  return { ...row, definition: { ...LATER, ...row.definition } };
}

const LATER = {
  forge: 'github',
  api_url: null,
  credential: null,
  constants: {},
  templates: {},
  yaml: [],
  deadline: null,
  concurrency: 'allow',
  callback_url: null,
  dispatch: null,
} satisfies Partial<BuildConfiguration['definition']>;
