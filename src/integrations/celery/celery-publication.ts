import type { CeleryResult, Delivery, FollowUps, MessageRefusal, OutgoingTask } from '../../contracts/celery/celery.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Publication } from './rabbitmq.ts';

const JSON_TEXT = { content_type: 'application/json', content_encoding: 'utf-8' } as const;

/** Returns the message with a result for the queue where its client waits, in the form of Celery's rpc back end. */
export function replyPublication(result: CeleryResult, replyTo: string): Publication {
  return {
    ...JSON_TEXT,
    routing_key: replyTo,
    body: Buffer.from(JSON.stringify(result)),
    correlation_id: result.task_id,
    priority: 0,
    transient: true,
  };
}

/** Returns the message with a task for a worker: one of Hapax, or another Celery worker. */
export function taskPublication({
  task_id,
  exchange,
  routing_key,
  reply_to,
  priority,
  headers,
  body,
}: OutgoingTask): Publication {
  return {
    ...JSON_TEXT,
    exchange,
    routing_key,
    body: Buffer.from(JSON.stringify(body)),
    headers,
    correlation_id: task_id,
    ...(reply_to === null ? {} : { reply_to }),
    ...(priority === null ? {} : { priority }),
    mandatory: true,
  };
}

/** Returns the message with tasks that should have followed a task but are not published. */
export function followUpsPublication(task_id: string, follow_ups: FollowUps): Publication {
  const body = Buffer.from(JSON.stringify({ task_id, follow_ups }));
  return { ...JSON_TEXT, routing_key: '', body, correlation_id: task_id };
}

/** The source and destination of a message that did not become a task. */
export interface Burial {
  /** The queue that it came from, or was meant for. */
  from: string;
  to: string;
  at: Date;
}

/**
 * Returns a message that did not become a task, as it arrived, with the reason in its headers.
 * @param headers its own, unless they are too large to be written again.
 */
export function deadLetterPublication(
  { mandatory: _, ...message }: Publication,
  { code, detail }: MessageRefusal,
  { from, to, at }: Burial,
  headers = message.headers,
): Publication {
  return {
    ...message,
    exchange: '',
    routing_key: to,
    headers: {
      ...headers,
      'hapax-reason': code,
      'hapax-detail': detail.slice(0, 500),
      'hapax-queue': from,
      'hapax-refused-at': at.toISOString(),
    },
  };
}

/** Returns a delivered message in the form in which to publish it again. */
export function publicationOf(delivery: Delivery): Publication {
  const { queue, headers, body, redelivered: _, ...given } = delivery;
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  return { routing_key: queue, headers, body, ...(present as Partial<Publication>) };
}

/** Returns a stored message in the form in which to publish it again. AMQP's byte arrays survive the JSON unchanged. */
export function publicationFrom({ publication, body }: Pick<DeadMessage, 'publication' | 'body'>): Publication {
  const said = JSON.parse(publication, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data) : value));
  return { ...said, body: Buffer.from(body, 'base64'), mandatory: true };
}
