import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { callbackUrl } from '../endings/callback.ts';
import { EVENT_TYPES, feedEvent, STREAM_KIND_NAMES } from '../event-feed.ts';
import { nextCursor, pageLimit } from '../paging.ts';
import { text } from '../text.ts';
import { timestamp } from '../timestamp.ts';
import { MESSAGE_FORMATS, OUTCOMES } from './subscription-event.ts';

const { filterEntries, headers: mostHeaders, headerCharacters, nameCharacters } = LIMITS.subscriptions;

const words = <Word extends string>(of: readonly [Word, ...Word[]]) => z.array(z.enum(of)).min(1).max(filterEntries);
const names = z.array(text(nameCharacters).min(1)).min(1).max(filterEntries);

/** A filter of events. An event must match every field, and one entry of each list. */
export const subscriptionFilter = z
  .strictObject({
    kinds: words(STREAM_KIND_NAMES)
      .optional()
      .meta({ description: 'Of these kinds of streams. Default: builds and tasks.', example: ['build'] }),
    types: words(EVENT_TYPES as [string, ...string[]])
      .optional()
      .meta({ description: 'Of these event types.', example: ['build_completed'] }),
    configurations: names
      .optional()
      .meta({ description: 'Of builds of these build configurations, by name.', example: ['fedora'] }),
    queues: names.optional().meta({ description: 'Of tasks in these queues.', example: ['youtube'] }),
    outcomes: words(OUTCOMES)
      .optional()
      .meta({
        description: 'Only events that end a build or task in this way. A revoked task counts as cancelled.',
        example: ['failure'],
      }),
  })
  .meta({ id: 'SubscriptionFilter' });

/** Headers that Hapax sets, or that belong to the connection. */
const RESERVED =
  /^(host|connection|content-(type|length|encoding)|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|user-agent|webhook-.*)$/i;

const headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of a header')
      .refine((name) => !RESERVED.test(name), 'is set by Hapax or by the connection'),
    z
      .string()
      .max(headerCharacters)
      .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII'),
  )
  .refine((given) => Object.keys(given).length <= mostHeaders, `must have at most ${mostHeaders} headers`);

const secret = z.string().regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64');

/** Body of POST /subscriptions, and of PUT. */
export const subscriptionBody = z
  .strictObject({
    url: callbackUrl.meta({
      description: 'Where events are sent. Only scheme, host and port are recorded and shown.',
      example: 'https://hooks.example.com/hapax',
    }),
    name: text(nameCharacters).min(1).optional().meta({ description: 'For people.', example: 'Deploy bot' }),
    filter: subscriptionFilter.optional().meta({ description: 'Default: all events of builds and tasks.' }),
    format: z.enum(MESSAGE_FORMATS).optional().meta({
      description:
        'How an event is written: `standard` (default); as a CloudEvent 1.0 in JSON; or as a CDEvent 0.5.1 in a CloudEvent. The last sends only events that CDEvents has types for: a build is queued, has started or has finished.',
    }),
    headers: headers
      .optional()
      .meta({ description: 'Headers that every request carries. They may be secrets and are never shown.' }),
    secret: secret.optional().meta({
      description:
        'Signs every request. Left out: Hapax makes one for a new subscription, and keeps that of an existing one.',
    }),
  })
  .meta({ id: 'SubscriptionBody' });
export type SubscriptionBody = z.output<typeof subscriptionBody>;

/** A position in the log to continue after. */
const position = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const newSubscriptionBody = subscriptionBody.extend({
  after: position.optional().meta({
    description:
      'Begin after this position in the log, 0 for all events ever recorded. Left out: with what happens next.',
  }),
});

export const replayBody = z
  .strictObject({
    after: position.meta({ description: 'Events after this position in the log are sent again.', example: 1200 }),
  })
  .meta({ id: 'SubscriptionReplay' });

export const subscriptionIdParam = z.object({
  id: z
    .string()
    .regex(/^sub_[0-9a-f]{24}$/, 'must be the id of a subscription')
    .meta({ example: 'sub_0d6f5b1c2a3948576a7b8c9d' }),
});

export const subscriptionView = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['active', 'disabled']),
    reason: z.string().nullable().meta({ description: 'Why it is disabled.' }),
    url_origin: z.string(),
    filter: subscriptionFilter,
    format: z.enum(MESSAGE_FORMATS),
    header_names: z.array(z.string()),
    created_at: timestamp,
    created_by: z.string(),
    position: z
      .int()
      .meta({ description: 'All events up to this position in the log were delivered or given up, except `pending`.' }),
    pending: z.int().meta({ description: 'Events that failed and are tried again.' }),
    delivered: z.int().meta({ description: 'Events delivered so far.' }),
    given_up: z
      .int()
      .meta({ description: 'Events that failed for three days while others were delivered. They are not sent again.' }),
    delivered_at: timestamp.nullable().meta({ description: 'When the last event was delivered.' }),
    failing_since: timestamp.nullable().meta({ description: 'Since when every attempt has failed.' }),
    last_failure: z.string().nullable(),
    next_at: timestamp.nullable().meta({ description: 'When the next attempt is due, while it is failing.' }),
  })
  .meta({ id: 'Subscription' });
export type SubscriptionView = z.infer<typeof subscriptionView>;

export const newSubscriptionView = subscriptionView
  .extend({ secret: z.string().optional().meta({ description: 'The secret that Hapax made. It is shown only here.' }) })
  .meta({ id: 'NewSubscription' });

export const subscriptionListQuery = z.strictObject({
  limit: pageLimit,
  cursor: subscriptionIdParam.shape.id.optional(),
});

export const subscriptionPage = z
  .object({ subscriptions: z.array(subscriptionView), next_cursor: nextCursor })
  .meta({ id: 'SubscriptionPage' });

export const testAnswer = z
  .object({
    delivered: z.boolean(),
    status: z.int().nullable().meta({ description: 'Status of the response; null without one.' }),
    reason: z.string().nullable().meta({ description: 'Why it was not delivered.' }),
  })
  .meta({ id: 'SubscriptionTest' });

/** The message about an event: the event, and what never changes about its build or task. */
export const subscriptionMessage = z
  .object({
    type: z.string().meta({ description: 'The type of the event; `ping` for a test.', example: 'build_completed' }),
    timestamp,
    data: feedEvent.extend({
      build: z
        .object({
          id: z.int(),
          config_id: z.int(),
          repository: z.string(),
          workflow: z.string(),
          ref: z.string(),
          image_type: z.string().nullable(),
          fedora_version: z.string().nullable(),
        })
        .optional()
        .meta({ description: 'The build that it is about.' }),
      task: z
        .object({ task_id: z.string(), name: z.string(), queue: z.string() })
        .optional()
        .meta({ description: 'The task that it is about.' }),
    }),
  })
  .meta({ id: 'SubscriptionMessage' });
export type SubscriptionMessage = z.infer<typeof subscriptionMessage>;
