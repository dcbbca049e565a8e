import type { OperationExamples } from './apply.ts';

const content = {
  repository: 'acme/images',
  workflow: 'build.yml',
  default_ref: 'main',
  inputs: { image_type: 'fedora-sway-atomic' },
  mapping: { fedora_version: 'distro_version' },
  deadline: '2h',
  concurrency: 'queue',
};

const configuration = {
  id: 2,
  version: 3,
  name: 'fedora',
  forge: 'github',
  api_url: null,
  credential: null,
  repository: 'acme/images',
  workflow: 'build.yml',
  default_ref: 'main',
  inputs: { image_type: 'fedora-sway-atomic' },
  constants: {},
  templates: {},
  yaml: [],
  mapping: { fedora_version: 'distro_version' },
  deadline: '2h',
  concurrency: 'queue',
  callback_url: null,
  dispatch: null,
  retired: false,
  changed_by: 'ci',
  created_at: '2026-11-20T08:00:00.000Z',
};

export const CONFIGURATION_EXAMPLES: Record<string, OperationExamples> = {
  listConfigurations: { responses: { 200: { configs: [configuration], next_cursor: null } } },
  createConfiguration: {
    request: { name: 'fedora', ...content },
    responses: { 201: { ...configuration, version: 1 } },
  },
  upsertConfiguration: { request: content, responses: { 200: configuration, 201: { ...configuration, version: 1 } } },
  getConfiguration: { responses: { 200: configuration } },
  replaceConfiguration: { request: { name: 'fedora', ...content }, responses: { 200: configuration } },
  retireConfiguration: { responses: { 200: { ...configuration, version: 4, retired: true } } },
  listConfigurationVersions: { responses: { 200: { versions: [configuration], next_cursor: null } } },
};
