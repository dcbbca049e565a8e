import type { OperationExamples } from './apply.ts';

const TIME = {
  queued: '2026-11-21T10:00:00.000Z',
  started: '2026-11-21T10:00:00.150Z',
  ended: '2026-11-21T10:14:02.000Z',
};
const RUN_URL = 'https://github.com/acme/images/actions/runs/16012345678';

/** A build that succeeded. */
export const build = {
  id: 12,
  status: 'success',
  ref: 'main',
  config_id: 1,
  config_version: 1,
  repository: 'acme/images',
  workflow: 'build.yml',
  image_type: 'fedora-sway-atomic',
  fedora_version: '43',
  inputs: { image_type: 'fedora-sway-atomic', fedora_version: '43' },
  shadow: false,
  workflow_run_id: 16_012_345_678,
  run_url: RUN_URL,
  run_attempt: 1,
  conclusion: 'success',
  needs_attention: false,
  reason: null,
  attempts: 1,
  retries: 0,
  created_at: TIME.queued,
  started_at: TIME.started,
  completed_at: TIME.ended,
  erased_at: null,
};

/** A build that GitHub refused. */
export const deadBuild = {
  ...build,
  id: 11,
  status: 'failure',
  ref: 'nowhere',
  workflow_run_id: null,
  run_url: null,
  run_attempt: null,
  conclusion: 'dispatch_rejected',
  reason: 'GitHub answered 422: No ref found for: nowhere',
};

/** The last event of the build. */
export const event = {
  id: 4711,
  seq: 6,
  event_type: 'build_completed',
  from_status: 'in_progress',
  to_status: 'success',
  event_data: {
    conclusion: 'success',
    run_attempt: 1,
    learned_from: 'webhook',
    request_id: 'C0DE:1A2B:3C4D',
    failed_jobs: [],
  },
  timestamp: TIME.ended,
  hash: '9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a',
  recorded_at: '2026-11-21T10:14:02.012Z',
  dedupe_key: 'completed',
  previous_hash: '3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b',
};

/** A forge's webhook delivery about a run. */
const DELIVERY = {
  action: 'completed',
  workflow_run: { id: 16_012_345_678, run_attempt: 1, status: 'completed', conclusion: 'success' },
  repository: { full_name: 'acme/images' },
};

const COMMIT = '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d';
const SHA256 = '3f0a377ba0a4a460ecb616f6507ce0d8cfa3e704025d4fda3ed0c5ca05468728';

/** The artifacts of that run. */
const left = {
  workflow_run_id: 16_012_345_678,
  run_attempt: 1,
  artifacts: [
    {
      id: 4_001,
      name: 'image',
      size_bytes: 1_482_911_744,
      digest: `sha256:${SHA256}`,
      created_at: '2026-11-21T10:13:50Z',
      expires_at: '2027-02-19T10:13:50Z',
      expired: false,
      attestations: [
        {
          predicate_type: 'https://slsa.dev/provenance/v1',
          verified: true,
          fault: null,
          signer: 'https://github.com/acme/images/.github/workflows/build.yml@refs/heads/main',
          bundle_sha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
        },
      ],
    },
  ],
  left_out: 0,
  unavailable: null,
};

/** Their provenance. */
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'image', digest: { sha256: SHA256 } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: {
        workflow: { repository: 'https://github.com/acme/images', path: '.github/workflows/build.yml', ref: 'main' },
        inputs: build.inputs,
      },
      internalParameters: { event_name: 'workflow_dispatch', build_id: 12 },
      resolvedDependencies: [{ uri: 'git+https://github.com/acme/images@main', digest: { gitCommit: COMMIT } }],
    },
    runDetails: {
      builder: { id: 'https://github.com' },
      metadata: { invocationId: `${RUN_URL}/attempts/1`, startedOn: TIME.started, finishedOn: TIME.ended },
      byproducts: [
        {
          name: 'build:12 event 7',
          digest: { sha256: '9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a' },
        },
      ],
    },
  },
};

const operation = (status: string, message: string) => ({ id: 12, status, message });

export const BUILD_EXAMPLES: Record<string, OperationExamples> = {
  triggerBuild: {
    request: { ref: 'main', image_type: 'fedora-sway-atomic', fedora_version: '43' },
    responses: { 202: { id: 12, status: 'queued', message: 'Build queued successfully' } },
  },
  listBuilds: {
    responses: {
      200: {
        builds: [build],
        next_cursor: 'WyIyMDI2LTExLTIxVDEwOjAwOjAwLjAwMFoiLDEyXQ',
        count: { value: 118, exact: true },
      },
    },
  },
  getBuild: {
    responses: {
      200: {
        ...build,
        workflow_id: 'build-6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
        waits_for: [],
        failed_jobs: [],
        commit: COMMIT,
        artifacts: left,
        links: {
          self: '/builds/12',
          events: '/builds/12/events',
          verify: '/builds/12/verify',
          run: RUN_URL,
          workflow:
            'http://127.0.0.1:8233/namespaces/default/workflows/build-6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
        },
        events: [event],
      },
    },
  },
  listBuildEvents: { responses: { 200: [event] } },
  proveConsistency: {
    responses: { 200: { from: 1200, to: 1312, proof: ['XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg='] } },
  },
  getBuildProvenance: { responses: { 200: statement } },
  verifyBuild: { responses: { 200: { valid: true, length: 6, head: event.hash } } },
  cancelBuild: { responses: { 202: operation('in_progress', 'Cancel requested') } },
  retryBuild: { request: { mode: 'rerun_failed' }, responses: { 202: operation('queued', 'Build queued again') } },
  listCandidateRuns: {
    responses: {
      200: {
        build_id: 12,
        needs_attention: true,
        reason: 'Hapax could not find out whether GitHub made a run (GitHub answered 502)',
        candidates: [{ run_id: build.workflow_run_id, run_url: RUN_URL }],
      },
    },
  },
  cancelBuilds: {
    request: { ref: 'main', status: 'queued' },
    responses: {
      200: { count: 1, more: false, sample: [deadBuild] },
      202: { done: [12], refused: [], more: false },
    },
  },
  retryBuilds: {
    request: { conclusion: 'timed_out', since: '2026-11-21T00:00:00.000Z', dry_run: true },
    responses: {
      200: { count: 1, more: false, sample: [deadBuild] },
      202: { done: [12], refused: [], more: false },
    },
  },
  adoptRun: { request: { run_id: 16_012_345_678 }, responses: { 202: operation('queued', 'Adoption requested') } },
  listEvents: {
    responses: { 200: { events: [{ stream: 'build:12', ...event }], next_after: 4711, at_end: true } },
  },
  receiveForgeWebhook: { request: DELIVERY, responses: { 202: { status: 'accepted' } } },
  receiveGitHubWebhook: { request: DELIVERY, responses: { 202: { status: 'accepted' } } },
};
