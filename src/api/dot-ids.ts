import type { HttpBindings } from '@hono/node-server';
import { getPath } from 'hono/utils/url';

/** A path of a task whose id is `.` or `..`, percent-encoded or not. */
const DOT_ID =
  /^((?:\/[\w-][\w.-]*)*\/(?:tasks|api\/task\/(?:result|info|revoke|abort))\/)((?:\.|%2e){1,2})(\/events|\/cancel)?(?:\?|$)/i;

/**
 * The path of a request. Servers take `.` and `..` out of URLs, but they are ids that clients may choose; so those of tasks are read
 * from what the client sent.
 */
export function pathOf(request: Request, options?: { env?: unknown }): string {
  const { incoming } = (options?.env ?? {}) as Partial<HttpBindings>;
  const [, before, dots, after = ''] = DOT_ID.exec(incoming?.url ?? '') ?? [];
  return before && dots ? before + decodeURIComponent(dots) + after : getPath(request);
}
