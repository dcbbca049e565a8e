import { forgeTime, numberOf } from './resources.ts';

/** A webhook that was sent, or could not be sent, as GitHub lists it. */
export interface HookDelivery {
  id: number;
  guid: string;
  at: number;
  redelivery: boolean;
  /** Status of the receiver's response; 0 if there was none. */
  statusCode: number;
  action: string;
  repository: string;
  body: string;
}

/** Id of the only hook. */
export const HOOK_ID = 1;

/** Returns an element of the response of GET /repos/{owner}/{repo}/hooks. */
export function hookAnswer(repository: string, receiver: string, origin: string) {
  const url = `${origin}/repos/${repository}/hooks/${HOOK_ID}`;
  return {
    type: 'Repository',
    id: HOOK_ID,
    name: 'web',
    active: true,
    events: ['workflow_run'],
    config: { url: receiver, content_type: 'json', secret: '********', insecure_ssl: '0' },
    updated_at: '2026-01-01T00:00:00Z',
    created_at: '2026-01-01T00:00:00Z',
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  };
}

/** Returns an element of the response of GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries. */
export function deliveryAnswer({ id, guid, at, redelivery, statusCode, action, repository }: HookDelivery) {
  return {
    id,
    guid,
    delivered_at: forgeTime(at),
    redelivery,
    duration: 0.1,
    status:
      statusCode >= 200 && statusCode < 300
        ? 'OK'
        : statusCode === 0
          ? 'failed to connect to host'
          : 'Invalid HTTP Response',
    status_code: statusCode,
    event: 'workflow_run',
    action,
    installation_id: null,
    repository_id: numberOf(repository),
    throttled_at: null,
  };
}
