import type { OperationExamples } from './apply.ts';

const body = {
  name: 'nightly',
  rights: ['read', 'trigger'],
  repositories: ['octo/fedora-images'],
  requests_per_minute: 600,
  builds_in_flight: 20,
  expires_at: '2027-11-29T00:00:00.000Z',
};

const key = {
  id: 'key_0d6f5b1c2a3948576a7b8c9d',
  name: 'nightly',
  status: 'active',
  rights: ['read', 'trigger'],
  repositories: ['octo/fedora-images'],
  queues: null,
  requests_per_minute: 600,
  builds_in_flight: 20,
  tasks_in_flight: null,
  expires_at: '2027-11-29T00:00:00.000Z',
  created_at: '2026-11-29T09:30:00.000Z',
  created_by: 'ops',
  revoked_at: null,
  revoked_by: null,
  last_used_at: null,
};

const used = { ...key, last_used_at: '2026-11-29T09:31:02.000Z' };

export const KEY_EXAMPLES: Record<string, OperationExamples> = {
  createKey: {
    request: body,
    responses: { 201: { ...key, key: 'hpx_THIS-IS-WHERE-THE-KEY-STANDS' } },
  },
  listKeys: { responses: { 200: { keys: [used], next_cursor: null } } },
  getKey: { responses: { 200: used } },
};
