import type { OperationExamples } from './apply.ts';

const body = {
  url: 'https://hooks.example.com/hapax?token=hush',
  name: 'Failure bot',
  filter: { kinds: ['build'], outcomes: ['failure'] },
};

const subscription = {
  id: 'sub_0d6f5b1c2a3948576a7b8c9d',
  name: 'Failure bot',
  status: 'active',
  reason: null,
  url_origin: 'https://hooks.example.com',
  filter: { kinds: ['build'], outcomes: ['failure'] },
  format: 'standard',
  header_names: [],
  created_at: '2026-11-20T08:00:00.000Z',
  created_by: 'ci',
  position: 1_204,
  pending: 0,
  delivered: 17,
  given_up: 0,
  delivered_at: '2026-11-29T09:30:59.601Z',
  failing_since: null,
  last_failure: null,
  next_at: null,
};

export const SUBSCRIPTION_EXAMPLES: Record<string, OperationExamples> = {
  createSubscription: {
    request: body,
    responses: {
      201: {
        ...{ ...subscription, delivered: 0, delivered_at: null },
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA=',
      },
    },
  },
  listSubscriptions: { responses: { 200: { subscriptions: [subscription], next_cursor: null } } },
  getSubscription: { responses: { 200: subscription } },
  replaceSubscription: { request: body, responses: { 200: subscription } },
  disableSubscription: { responses: { 200: { ...subscription, status: 'disabled', reason: 'disabled by ci' } } },
  enableSubscription: { responses: { 200: subscription } },
  testSubscription: { responses: { 200: { delivered: true, status: 204, reason: null } } },
  replaySubscription: { request: { after: 1_200 }, responses: { 200: { ...subscription, position: 1_200 } } },
};
