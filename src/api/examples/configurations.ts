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

const otherRun = (workflow_run_id: number, created_at: string) => ({
  workflow_run_id,
  run_url: `https://github.com/acme/images/actions/runs/${workflow_run_id}`,
  created_at,
});

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
  compareShadow: {
    responses: {
      200: {
        ...{ config_id: 2, repository: 'acme/images', workflow: 'build.yml', since: '2026-11-20T08:00:00.000Z' },
        ...{ triggered: 1, matched: 1, lost: 0, waiting: 0, doubled: 1, unheard: 1 },
        builds: [
          {
            ...{ build_id: 7, ref: 'main', status: 'success', outcome: 'matched' },
            would_dispatch_at: '2026-11-21T09:12:40.210Z',
            run: otherRun(3, '2026-11-21T09:12:41.000Z'),
            later_seconds: 0.79,
            doubled: [otherRun(4, '2026-11-21T09:12:43.000Z')],
          },
        ],
        unheard_runs: [{ ...otherRun(1, '2026-11-21T08:59:30.000Z'), ref: 'main', title: 'Build main' }],
      },
    },
  },
  listConfigurationVersions: { responses: { 200: { versions: [configuration], next_cursor: null } } },
};
