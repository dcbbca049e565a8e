import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { text } from '../text.ts';

/** A callback URL in a request or configuration. domain/callback-url.ts decides which URLs Hapax may call. */
export const callbackUrl = text(LIMITS.content.urlCharacters).min(1);

const webhookId = z.string().meta({ description: 'The webhook-id of the callback, the same in all attempts.' });
const attempt = z.int().meta({ description: 'Number of the attempt, from 1.' });
const callback_origin = z.string().optional().meta({
  description: 'Scheme, host and port of the callback URL. A build or task may have several.',
});

/** Data of the events about a callback in the stream of its subject, a build or a task. */
export const callbackEventData = {
  callback_delivered: z.object({ webhook_id: webhookId, attempt, status: z.int(), callback_origin }),
  callback_failed: z.object({
    webhook_id: webhookId,
    attempt,
    callback_origin,
    status: z.int().nullable().meta({ description: 'Null if there was no response.' }),
    reason: z.string(),
    next_at: z.string().nullable().meta({ description: 'When the next attempt is due; null if this was the last.' }),
  }),
} as const;

export type CallbackEventType = keyof typeof callbackEventData;

/** The result of an attempt, as an event. */
export type CallbackEvent = {
  [Type in CallbackEventType]: {
    type: Type;
    data: z.infer<(typeof callbackEventData)[Type]>;
    occurred_at: string;
    dedupe_key: string;
  };
}[CallbackEventType];
