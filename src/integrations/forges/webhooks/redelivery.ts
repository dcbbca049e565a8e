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
    redelivery: z.boolean().default(false),
  }),
);

const PAGE = 100;
const MAX_PAGES = 10;
/** Statuses that say that GitHub will never send a delivery again. */
const NOT_AGAIN: ReadonlySet<number> = new Set([404, 410, 422]);

/** How many deliveries were requested again, and whether all were looked at. */
export interface Redelivered {
  redelivered: number;
  complete: boolean;
}

/**
 * Requests redelivery of every delivery since a time that Hapax did not accept, if the credential may. If GitHub refuses one, perhaps
 * because it is too old, the others are still requested.
 * @returns how many, and whether it read all deliveries since then; `not_allowed` if it may not list webhooks.
 * @throws {ForgeError} if GitHub did not respond to every request; then nothing counts as checked.
 */
export async function redeliverMissed(
  requests: PacedRequests,
  repository: { owner: string; repo: string },
  since: string,
  signal: AbortSignal,
): Promise<Redelivered | 'not_allowed'> {
  const place = { ...repository, request: { signal } };
  const hooks = await listOurHooks(requests, place);
  if (hooks === 'not_allowed') return hooks;
  const done: Redelivered = { redelivered: 0, complete: true };
  for (const { id: hook_id } of hooks) {
    const hook = { ...place, hook_id };
    const { deliveries, complete } = await deliveriesOf(requests, hook, since);
    done.complete &&= complete;
    for (const { id } of missedDeliveries(deliveries, since)) {
      const route = 'POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts';
      signal.throwIfAborted();
      const response = await requests.post(route, { ...hook, delivery_id: id });
      if ('status' in response && NOT_AGAIN.has(response.status)) continue;
      await expectSuccess(response);
      done.redelivered += 1;
    }
  }
  return done;
}

async function deliveriesOf(
  requests: PacedRequests,
  hook: { request: { signal: AbortSignal } } & RouteParameters,
  since: string,
): Promise<{ deliveries: HookDelivery[]; complete: boolean }> {
  const all: HookDelivery[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const parameters = { ...hook, per_page: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    hook.request.signal.throwIfAborted();
    const response = requests.get('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', parameters);
    const { body, headers } = await expectSuccess(response);
    const listed = deliveryList.parse(body);
    all.push(...listed);
    const oldest = listed.at(-1)?.delivered_at;
    cursor = /[?&]cursor=([^&>]+)(?:&[^>]*)?>; rel="next"/.exec(headers.link ?? '')?.[1];
    if (cursor === undefined || oldest === undefined || Date.parse(oldest) < Date.parse(since)) {
      return { deliveries: all, complete: true };
    }
  }
  return { deliveries: all, complete: false };
}
