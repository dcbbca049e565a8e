import { z } from 'zod';
import type { EventOf } from '../builds/event.ts';

/** Formats of the events that a subscription sends. */
export const MESSAGE_FORMATS = ['standard', 'cloudevents', 'cdevents'] as const;
export type MessageFormat = (typeof MESSAGE_FORMATS)[number];

/** Outcomes of a build or task, for filters. */
export const OUTCOMES = ['success', 'failure', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The events that a subscription sends. A field that is left out does not restrict them. */
export interface SubscriptionFilter {
  kinds?: string[] | undefined;
  types?: string[] | undefined;
  /** Names of build configurations. */
  configurations?: string[] | undefined;
  /** Queues of tasks. */
  queues?: string[] | undefined;
  /** Only events that end a build or task, and only with these outcomes. */
  outcomes?: Outcome[] | undefined;
}

const by = z.string().meta({ description: 'Who asked for it.' });

/** The fields of a subscription that may change, without its secrets. */
const description = {
  name: z.string(),
  url_origin: z.string().meta({ description: 'Scheme, host and port of the URL. The rest may be a secret.' }),
  format: z.enum(MESSAGE_FORMATS),
  filter: z.record(z.string(), z.array(z.string())),
  header_names: z.array(z.string()).meta({ description: 'Names of the headers of its own. Values may be secrets.' }),
};

/** Data of each event type of a subscription. */
export const subscriptionEventData = {
  subscription_created: z.object({
    ...description,
    subscription_id: z.string(),
    workflow_id: z.string(),
    after: z.int().meta({ description: 'The position in the log that it begins after.' }),
    by,
  }),
  subscription_changed: z.object({ ...description, by }),
  subscription_replayed: z.object({
    after: z.int().meta({ description: 'The position in the log that it goes on after.' }),
    by,
  }),
  subscription_gave_up: z.object({
    position: z.int().meta({ description: 'Position of the event that was not delivered.' }),
    attempts: z.int(),
    reason: z.string(),
  }),
  subscription_disabled: z.object({ reason: z.string(), by }),
  subscription_enabled: z.object({ by }),
  subscription_deleted: z.object({ by }),
} as const;

export type SubscriptionEventType = keyof typeof subscriptionEventData;
export const SUBSCRIPTION_EVENT_TYPES = Object.keys(subscriptionEventData) as [
  SubscriptionEventType,
  ...SubscriptionEventType[],
];

/** Something that happened to a subscription. */
export type SubscriptionEvent = EventOf<typeof subscriptionEventData>;
