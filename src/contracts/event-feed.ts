import { z } from 'zod';
import { BUILD_EVENT_TYPES, eventView } from './builds/event.ts';
import { ERASURE_EVENT_TYPES } from './erasures/erasure-event.ts';
import { KEY_EVENT_TYPES } from './keys/key-event.ts';
import { listOf, pageLimit } from './paging.ts';
import { SCHEDULE_EVENT_TYPES } from './schedules/schedule-event.ts';
import { SUBSCRIPTION_EVENT_TYPES } from './subscriptions/subscription-event.ts';
import { TASK_EVENT_TYPES } from './tasks/task-event.ts';
import { text } from './text.ts';

/** The kinds of streams in the log: the part of a stream's name before the colon. */
export const STREAM_KIND_NAMES = ['build', 'task', 'schedule', 'subscription', 'key', 'erasure'] as const;

/** Every event type. Builds and tasks share those of callbacks and dead letters. */
export const EVENT_TYPES = [
  ...new Set([
    ...BUILD_EVENT_TYPES,
    ...TASK_EVENT_TYPES,
    ...SCHEDULE_EVENT_TYPES,
    ...SUBSCRIPTION_EVENT_TYPES,
    ...KEY_EVENT_TYPES,
    ...ERASURE_EVENT_TYPES,
  ]),
].sort();

/** A position in the log as text: a number, or `latest`. */
const position = z
  .string()
  .regex(/^(latest|\d{1,15})$/, 'must be a position in the log, or `latest`')
  .transform((given) => (given === 'latest' ? given : Number(given)));

/** Query of GET /events. */
export const eventFeedQuery = z.strictObject({
  after: position.optional().meta({
    type: 'string',
    description:
      'Begin after this position: the `id` of an event, or `next_after` of a page. `latest`: begin at the end of the log. Default: 0, the beginning. A position beyond the end counts as the end.',
    example: '0',
  }),
  kinds: listOf(STREAM_KIND_NAMES)
    .optional()
    .meta({
      type: 'string',
      description: `Only events of these kinds of streams, comma separated: ${STREAM_KIND_NAMES.join(', ')}.`,
      example: 'build,task',
    }),
  types: listOf(EVENT_TYPES).optional().meta({
    type: 'string',
    description: 'Only these event types, comma separated.',
    example: 'build_completed,task_failed',
  }),
  stream: text(300)
    .regex(
      /^(build:[1-9]\d{0,15}|subscription:sub_[0-9a-f]{24}|key:key_[0-9a-f]{24}|erasure:[0-9a-f-]{36}|(?:task|schedule):[\s\S]+)$/,
      'must be the stream of a build, a task, a schedule, a subscription, a key or an erasure, for example build:12',
    )
    .optional()
    .meta({
      description: 'Only events of this build, task, schedule, subscription, key or erasure.',
      example: 'build:12',
    }),
  limit: pageLimit,
});
export type EventFeedQuery = z.output<typeof eventFeedQuery>;

/** An event in the feed, with the stream that it belongs to. */
export const feedEvent = eventView
  .extend({
    stream: z.string().meta({
      description: '`build:`, `task:`, `schedule:`, `subscription:`, `key:` or `erasure:`, and the id or name.',
      example: 'build:12',
    }),
  })
  .meta({ id: 'FeedEvent' });
export type FeedEvent = z.infer<typeof feedEvent>;

export const eventFeedPage = z
  .object({
    events: z.array(feedEvent),
    next_after: z.int().meta({
      description:
        'Pass this as `after` to get the next page. It may be beyond the last event here if later ones did not match.',
    }),
    at_end: z
      .boolean()
      .meta({ description: 'Nothing follows yet. False: get the next page, even if this one has no events.' }),
  })
  .meta({ id: 'EventFeedPage' });
export type EventFeedPage = z.infer<typeof eventFeedPage>;
