import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { text } from '../text.ts';

/** Where a callback goes, as a request or configuration names it. domain/callback-url.ts decides what may be called. */
export const callbackUrl = text(LIMITS.content.urlCharacters).min(1);

const webhookId = z.string().meta({ description: 'The webhook-id of the callback, equal over all tries.' });
const attempt = z.int().meta({ description: 'Which try of this callback it was, from 1.' });
const callback_origin = z.string().optional().meta({
  description: 'Scheme and host of where it went; of a build or task with several callback URLs, each is told.',
});

/** Data of the events that a callback leaves in the stream of its subject, whatever that is. */
export const callbackEventData = {
  callback_delivered: z.object({ webhook_id: webhookId, attempt, status: z.int(), callback_origin }),
  callback_failed: z.object({
    webhook_id: webhookId,
    attempt,
    callback_origin,
    status: z.int().nullable().meta({ description: 'null where no answer came.' }),
    reason: z.string(),
    next_at: z.string().nullable().meta({ description: 'When the next try is due; null where this was the last.' }),
  }),
} as const;

export type CallbackEventType = keyof typeof callbackEventData;

/** What became of a try. */
export type CallbackEvent = {
  [Type in CallbackEventType]: {
    type: Type;
    data: z.infer<(typeof callbackEventData)[Type]>;
    occurred_at: string;
    dedupe_key: string;
  };
}[CallbackEventType];
