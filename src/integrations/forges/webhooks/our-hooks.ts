import { z } from 'zod';
import { type Arrived, rateLimitWait } from '../../../domain/github/response.ts';
import { expectSuccess } from '../forge-error.ts';
import type { RouteParameters } from '../transport/transport.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';

/** Path of Hapax's webhooks, whatever the API's host name. */
const WEBHOOK_PATH = '/webhooks/github';
const PAGE = 100;
/** Statuses of the response to a credential that may not list webhooks. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([401, 403, 404]);

const hook = z.object({
  id: z.int(),
  active: z.boolean().default(true),
  events: z.array(z.string()).default([]),
  config: z.object({ url: z.string().optional() }),
  last_response: z.object({ code: z.int().nullish(), message: z.string().nullish() }).optional(),
});
/** A webhook of a repository that posts to Hapax. */
export type OurHook = z.infer<typeof hook>;

/**
 * Returns the webhooks of a repository that post to Hapax, or `not_allowed` if the credential may not list them.
 * @throws {ForgeError} if GitHub did not respond.
 */
export async function listOurHooks(
  requests: PacedRequests,
  place: RouteParameters & { owner: string; repo: string },
): Promise<OurHook[] | 'not_allowed'> {
  const listed = await requests.get('GET /repos/{owner}/{repo}/hooks', { ...place, per_page: PAGE });
  if ('status' in listed && NOT_ALLOWED.has(listed.status) && !isLimited(listed)) return 'not_allowed';
  const hooks = z.array(hook).parse((await expectSuccess(listed)).body);
  return hooks.filter(({ config }) => config.url?.endsWith(WEBHOOK_PATH));
}

function isLimited({ status, headers, body }: Arrived): boolean {
  return rateLimitWait(status, headers, body, Date.now()) !== undefined;
}
