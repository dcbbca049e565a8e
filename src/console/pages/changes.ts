import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { invalidRequest, Refusal } from '../../commands/refusal.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import type { Access } from '../access.ts';
import type { ChangeWatch } from '../change-watch.ts';
import type { Console } from '../view.ts';

/**
 * Pause between the events `alive`. They keep proxies from closing a quiet stream, and tell the page that the connection works: it takes
 * 45 s without any for a loss.
 */
const KEEP_ALIVE_MS = 15_000;
/** When a stream ends and the browser opens another. Somebody who has lost access then sees no more changes. */
const LONGEST_MS = 300_000;

const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const query = z.object({
  of: z
    .string()
    .max(1_000)
    .transform((topics) => topics.split(',').slice(0, 10)),
  since: position,
});

/**
 * Adds the stream that tells a page when to reload itself: the event `changed`, without data. The page replaces its content, so it never
 * grows.
 */
export function changesStream(console: Console, changes: ChangeWatch, access: Pick<Access, 'onChange'>): void {
  console.get('/changes', (c) => {
    const asked = query.safeParse(c.req.query());
    if (!asked.success) throw invalidRequest([{ path: 'query', message: 'must have of and since' }]);
    const { of: topics, since } = asked.data;
    if (changes.size >= LIMITS.streams.open) throw new Refusal('too_many_streams', { retryAfterSeconds: 30 });
    const resumed = position.safeParse(c.req.header('last-event-id') || undefined);
    c.header('Cache-Control', 'no-store');
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (sse) => {
      let head: number | undefined;
      let wake = () => {};
      let open = true;
      const end = () => {
        open = false;
        wake();
      };
      sse.onAbort(end);
      const closing = c.env?.closing;
      if (closing?.aborted) end();
      closing?.addEventListener('abort', end);
      const unwatch = changes.watch(topics, resumed.success ? resumed.data : since, (told) => {
        head = told;
        wake();
      });
      const keepAlive = setInterval(() => void sse.writeSSE({ event: 'alive', data: '' }), KEEP_ALIVE_MS);
      const longest = setTimeout(end, LONGEST_MS);
      // The browser opens another stream, unless its key was revoked.
      const unwatchKeys = access.onChange(end);
      try {
        while (open) {
          if (head !== undefined) {
            const told = String(head);
            head = undefined;
            await sse.writeSSE({ id: told, event: 'changed', data: '' });
          }
          if (open && head === undefined) await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        clearInterval(keepAlive);
        clearTimeout(longest);
        closing?.removeEventListener('abort', end);
        unwatch();
        unwatchKeys();
      }
    });
  });
}
