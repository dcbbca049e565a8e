import type { HttpBindings } from '@hono/node-server';
import { getPath } from 'hono/utils/url';

/** The path of a task whose id is `.` or `..`, percent-encoded or not. */
const DOT_ID =
  /^((?:\/[\w-][\w.-]*)*\/(?:tasks|api\/task\/(?:result|info|revoke|abort))\/)((?:\.|%2e){1,2})(\/events|\/cancel)?(?:\?|$)/i;

/**
 * Returns the path of a request. Servers remove `.` and `..` from URLs, but clients may choose them as task ids. So the path of such a task
 * is read from what the client sent.
 */
export function pathOf(request: Request, options?: { env?: unknown }): string {
  const { incoming } = (options?.env ?? {}) as Partial<HttpBindings>;
  const [, before, dots, after = ''] = DOT_ID.exec(incoming?.url ?? '') ?? [];
  return before && dots ? before + decodeURIComponent(dots) + after : getPath(request);
}
