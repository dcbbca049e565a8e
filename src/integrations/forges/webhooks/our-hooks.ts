import { z } from 'zod';
import { type Arrived, rateLimitWait } from '../../../domain/github/response.ts';
import { expectSuccess } from '../forge-error.ts';
import type { RouteParameters } from '../transport/transport.ts';
import type { PacedRequests } from '../writes/paced-requests.ts';

/** Where our webhooks go, below whatever name the API has. */
const WEBHOOK_PATH = '/webhooks/github';
const PAGE = 100;
/** Answers to a credential that may not list webhooks. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([401, 403, 404]);

const hook = z.object({
  id: z.int(),
  active: z.boolean().default(true),
  events: z.array(z.string()).default([]),
  config: z.object({ url: z.string().optional() }),
  last_response: z.object({ code: z.int().nullish(), message: z.string().nullish() }).optional(),
});
/** A webhook of a repository that goes to a Hapax. */
export type OurHook = z.infer<typeof hook>;

/**
 * The webhooks of a repository that go to a Hapax, or `not_allowed` where the credential may not list them.
 * @throws {ForgeError} where GitHub did not answer.
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
