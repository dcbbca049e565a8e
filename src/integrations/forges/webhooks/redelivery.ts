import { z } from 'zod';
import { type HookDelivery, missedDeliveries } from '../../../domain/github/hook-deliveries.ts';
import { expectSuccess } from '../forge-error.ts';
import type { RouteParameters } from '../transport/transport.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';
import { listOurHooks } from './our-hooks.ts';

const deliveryList = z.array(
  z.object({
    id: z.int(),
    guid: z.string(),
    event: z.string(),
    status_code: z.int(),
    delivered_at: z.string(),
  }),
);

const PAGE = 100;
const MAX_PAGES = 10;
/** Statuses that say that GitHub will never send a delivery again. */
const NOT_AGAIN: ReadonlySet<number> = new Set([404, 410, 422]);

/**
 * Requests redelivery of every delivery since a time that Hapax did not accept, if the credential may. If GitHub refuses one, perhaps
 * because it is too old, the others are still requested.
 * @returns how many; `not_allowed` if it may not list webhooks.
 * @throws {ForgeError} if GitHub did not respond to every request; then nothing counts as checked.
 */
export async function redeliverMissed(
  requests: PacedRequests,
  repository: { owner: string; repo: string },
  since: string,
  signal: AbortSignal,
): Promise<number | 'not_allowed'> {
  const place = { ...repository, request: { signal } };
  const hooks = await listOurHooks(requests, place);
  if (hooks === 'not_allowed') return hooks;
  let redelivered = 0;
  for (const { id: hook_id } of hooks) {
    const hook = { ...place, hook_id };
    for (const { id } of missedDeliveries(await deliveriesOf(requests, hook, since), since)) {
      const route = 'POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts';
      signal.throwIfAborted();
      const response = await requests.post(route, { ...hook, delivery_id: id });
      if ('status' in response && NOT_AGAIN.has(response.status)) continue;
      await expectSuccess(response);
      redelivered += 1;
    }
  }
  return redelivered;
}

async function deliveriesOf(
  requests: PacedRequests,
  hook: { request: { signal: AbortSignal } } & RouteParameters,
  since: string,
): Promise<HookDelivery[]> {
  const all: HookDelivery[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const parameters = { ...hook, per_page: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    hook.request.signal.throwIfAborted();
    const response = requests.get('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', parameters);
    const { body, headers } = await expectSuccess(response);
    const deliveries = deliveryList.parse(body);
    all.push(...deliveries);
    const oldest = deliveries.at(-1)?.delivered_at;
    cursor = /[?&]cursor=([^&>]+)(?:&[^>]*)?>; rel="next"/.exec(headers.link ?? '')?.[1];
    if (cursor === undefined || oldest === undefined || Date.parse(oldest) < Date.parse(since)) break;
  }
  return all;
}
