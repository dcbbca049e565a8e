import type { BuildEvent } from '../../src/contracts/builds/event.ts';

/** The first event of a build. @param change of its data. */
export function queuedBuild(id: number, change: object = {}): BuildEvent {
  return {
    type: 'build_queued',
    data: {
      build_id: id,
      workflow_id: `build-${id}`,
      request_key: `key-${id}`,
      fingerprint: `print-${id}`,
      keyed: false,
      dedup_until: '2026-11-21T10:05:00.000Z',
      caller: 'local',
      config_id: 1,
      config_version: 1,
      image_type: null,
      fedora_version: null,
      priority: 3,
      request: { repository: 'acme/images', workflow: 'build.yml', ref: 'main', inputs: { note: 'ünï "x" \\ 😀' } },
      ...change,
    },
    occurred_at: new Date(Date.UTC(2026, 10, 21, 10, 0, id)).toISOString(),
    dedupe_key: 'queued',
  };
}
