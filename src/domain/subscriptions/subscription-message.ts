import { LIMITS } from '../../contracts/budgets.ts';
import type { FeedEvent } from '../../contracts/event-feed.ts';
import type { SubscriptionMessage } from '../../contracts/subscriptions/subscription.ts';
import type { MessageFormat } from '../../contracts/subscriptions/subscription-event.ts';
import { sha256 } from '../record/hash.ts';
import { cdEventOf, pipelineRunStep } from './cd-event.ts';

/** A request to a receiver. */
export interface Message {
  webhook_id: string;
  contentType: string;
  /** JSON. */
  body: string;
}

/** The build or task that an event is about, as a receiver sees it. */
export type Subject = Pick<SubscriptionMessage['data'], 'build' | 'task'>;

/** Says whether a format has words for an event. */
export function canTell(format: MessageFormat, event: FeedEvent): boolean {
  return format !== 'cdevents' || pipelineRunStep(event) !== undefined;
}

/**
 * Returns the message about an event. It has nothing that changes, so every attempt makes the same bytes.
 * @param source names the installation.
 */
export function messageOf(
  subscriptionId: string,
  format: MessageFormat,
  source: string,
  event: FeedEvent,
  subject: Subject,
): Message {
  // Made from the hash of the event, since another installation may have an event at the same position.
  const webhook_id = `msg_${sha256(`${event.hash}:${subscriptionId}`).slice(0, 32)}`;
  const { event_data: _, ...short } = event;
  const told = { webhook_id, type: event.event_type, timestamp: event.timestamp, event };
  const whole = write(format, source, { ...told, data: { ...event, ...subject } });
  if (Buffer.byteLength(whole.body) <= LIMITS.subscriptions.bodyBytes) return whole;
  return write(format, source, { ...told, data: { ...short, ...subject } });
}

/** Returns the message of a test. @param id tells tests apart. */
export function pingOf(format: MessageFormat, source: string, id: string, timestamp: string): Message {
  return write(format, source, { webhook_id: `msg_${id}`, type: 'ping', timestamp, data: {} });
}

interface Told {
  webhook_id: string;
  type: string;
  timestamp: string;
  /** Left out in a test. */
  event?: FeedEvent;
  data: object;
}

function write(format: MessageFormat, source: string, { webhook_id, type, timestamp, event, data }: Told): Message {
  switch (format) {
    case 'standard':
      return { webhook_id, contentType: 'application/json', body: JSON.stringify({ type, timestamp, data }) };
    case 'cloudevents':
      return cloudEvent({ id: webhook_id, source, type: `hapax.${type}`, timestamp }, event?.stream, data);
    case 'cdevents': {
      const step = event && pipelineRunStep(event);
      const context = { id: webhook_id, source, timestamp };
      if (!step) return cloudEvent({ ...context, type: `hapax.${type}` }, event?.stream, data);
      const cdEvent = cdEventOf(step, context, data as SubscriptionMessage['data']);
      return cloudEvent({ ...context, type: cdEvent.context.type }, event.stream, cdEvent);
    }
    default:
      return format satisfies never;
  }
}

/** Returns a message by CloudEvents 1.0: JSON event format, structured content mode of its HTTP binding. */
function cloudEvent(
  { id, source, type, timestamp }: { id: string; source: string; type: string; timestamp: string },
  subject: string | undefined,
  data: object,
): Message {
  const event = {
    ...{ specversion: '1.0', id, source, type },
    ...(subject === undefined ? {} : { subject }),
    ...{ time: timestamp, datacontenttype: 'application/json', data },
  };
  return { webhook_id: id, contentType: 'application/cloudevents+json; charset=utf-8', body: JSON.stringify(event) };
}
