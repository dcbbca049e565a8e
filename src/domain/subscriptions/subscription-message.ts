import { LIMITS } from '../../contracts/budgets.ts';
import type { FeedEvent } from '../../contracts/event-feed.ts';
import type { SubscriptionMessage } from '../../contracts/subscriptions/subscription.ts';
import type { MessageFormat } from '../../contracts/subscriptions/subscription-event.ts';
import { sha256 } from '../record/hash.ts';

/** A request to a receiver. */
export interface Message {
  webhook_id: string;
  contentType: string;
  /** JSON. */
  body: string;
}

/** What an event is about, as a receiver is told. */
export type Subject = Pick<SubscriptionMessage['data'], 'build' | 'task'>;

/**
 * The message about an event. Every attempt makes the same bytes: it says nothing that changes.
 * @param source names the installation.
 */
export function messageOf(
  subscriptionId: string,
  format: MessageFormat,
  source: string,
  event: FeedEvent,
  subject: Subject,
): Message {
  // By the hash of the event, since another installation may have an event at the same position.
  const webhook_id = `msg_${sha256(`${event.hash}:${subscriptionId}`).slice(0, 32)}`;
  const { event_data: _, ...short } = event;
  const told = { webhook_id, type: event.event_type, timestamp: event.timestamp, about: event.stream };
  const whole = write(format, source, { ...told, data: { ...event, ...subject } });
  if (Buffer.byteLength(whole.body) <= LIMITS.subscriptions.bodyBytes) return whole;
  return write(format, source, { ...told, data: { ...short, ...subject } });
}

/** The message of a test. @param id tells tests apart. */
export function pingOf(format: MessageFormat, source: string, id: string, timestamp: string): Message {
  return write(format, source, { webhook_id: `msg_${id}`, type: 'ping', timestamp, about: undefined, data: {} });
}

interface Told {
  webhook_id: string;
  type: string;
  timestamp: string;
  about: string | undefined;
  data: object;
}

function write(format: MessageFormat, source: string, { webhook_id, type, timestamp, about, data }: Told): Message {
  switch (format) {
    case 'standard':
      return { webhook_id, contentType: 'application/json', body: JSON.stringify({ type, timestamp, data }) };
    case 'cloudevents': {
      // CloudEvents 1.0, JSON event format, structured content mode of its HTTP binding.
      const event = {
        ...{ specversion: '1.0', id: webhook_id, source, type: `hapax.${type}` },
        ...(about === undefined ? {} : { subject: about }),
        ...{ time: timestamp, datacontenttype: 'application/json', data },
      };
      return { webhook_id, contentType: 'application/cloudevents+json; charset=utf-8', body: JSON.stringify(event) };
    }
    default:
      return format satisfies never;
  }
}
