import { z } from 'zod';
import { type DispatchAnswer, rateLimitWait } from '../../domain/github/dispatch-answer.ts';
import { type HookDelivery, missedDeliveries } from '../../domain/github/hook-deliveries.ts';

type Answer = Extract<DispatchAnswer, { status: number }>;

/** How GitHub is asked. */
export interface Requests {
  get(route: string, parameters: Record<string, unknown>): Promise<DispatchAnswer>;
  post(route: string, parameters: Record<string, unknown>): Promise<DispatchAnswer>;
  /** @throws where the answer is no success. */
  expect(answer: DispatchAnswer): Promise<Answer>;
}

const hookList = z.array(z.object({ id: z.int(), config: z.object({ url: z.string().optional() }) }));
const deliveryList = z.array(
  z.object({
    id: z.int(),
    guid: z.string(),
    event: z.string(),
    status_code: z.int(),
    delivered_at: z.string(),
  }),
);

/** Where our webhooks go, below whatever name the API has. */
const WEBHOOK_PATH = '/webhooks/github';
const PAGE = 100;
const MAX_PAGES = 10;
/** Answers to a credential that may not list webhooks. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([401, 403, 404]);
/** Answers to a delivery that GitHub will never send again. */
const NOT_AGAIN: ReadonlySet<number> = new Set([404, 410, 422]);

/**
 * Asks for every delivery again that a webhook of ours did not take since a time, if the credential may. One that GitHub
 * refuses to send again, as it may be too old, holds up no other.
 * @returns how many; `not_allowed` where it may not list webhooks.
 * @throws {GitHubError} where GitHub did not answer all; then none of it counts as looked at.
 */
export async function redeliverMissed(
  github: Requests,
  repository: { owner: string; repo: string },
  since: string,
): Promise<number | 'not_allowed'> {
  const listed = await github.get('GET /repos/{owner}/{repo}/hooks', { ...repository, per_page: PAGE });
  if ('status' in listed && NOT_ALLOWED.has(listed.status) && !isLimited(listed)) return 'not_allowed';
  const hooks = hookList.parse((await github.expect(listed)).body);
  let redelivered = 0;
  for (const { id: hook_id } of hooks.filter(({ config }) => config.url?.endsWith(WEBHOOK_PATH))) {
    const hook = { ...repository, hook_id };
    for (const { id } of missedDeliveries(await deliveriesOf(github, hook, since), since)) {
      const route = 'POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts';
      const answer = await github.post(route, { ...hook, delivery_id: id });
      if ('status' in answer && NOT_AGAIN.has(answer.status)) continue;
      await github.expect(answer);
      redelivered += 1;
    }
  }
  return redelivered;
}

async function deliveriesOf(github: Requests, hook: Record<string, unknown>, since: string): Promise<HookDelivery[]> {
  const all: HookDelivery[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const parameters = { ...hook, per_page: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const answer = await github.get('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', parameters);
    const { body, headers } = await github.expect(answer);
    const deliveries = deliveryList.parse(body);
    all.push(...deliveries);
    const oldest = deliveries.at(-1)?.delivered_at;
    cursor = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(headers.link ?? '')?.[1];
    if (cursor === undefined || oldest === undefined || Date.parse(oldest) < Date.parse(since)) break;
  }
  return all;
}

function isLimited({ status, headers, body }: Answer): boolean {
  return rateLimitWait(status, headers, body, Date.now()) !== undefined;
}
