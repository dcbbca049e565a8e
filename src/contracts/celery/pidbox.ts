import { z } from 'zod';
import { LIMITS } from '../budgets.ts';

/** A message that Celery's `app.control` sends to every worker (kombu's pidbox). */
export const controlMessage = z.object({
  method: z.string(),
  arguments: z.record(z.string(), z.unknown()).nullish(),
  /** Host names that it is for; none: all. */
  destination: z.array(z.string()).nullish(),
  pattern: z.string().nullish(),
  matcher: z.string().nullish(),
  /** Set if the sender waits for a reply. */
  ticket: z.string().nullish(),
  reply_to: z.object({ exchange: z.string(), routing_key: z.string() }).nullish(),
});
export type ControlMessage = z.output<typeof controlMessage>;

/** The exchange that Celery's `app.control` publishes to, under its default name. */
export const PIDBOX_EXCHANGE = 'celery.pidbox';

const ids = z.union([z.string().transform((id) => [id]), z.array(z.string()).max(LIMITS.messages.revokedIds)]);

/** Arguments of `revoke` and `terminate`. */
export const revokeArguments = z.object({ task_id: ids, terminate: z.boolean().nullish() });
