import type { CeleryResult, Delivery, FollowUps, MessageRefusal, OutgoingTask } from '../../contracts/celery/celery.ts';
import type { DeadMessage } from '../../contracts/celery/dead-message.ts';
import type { Publication } from './rabbitmq.ts';

const JSON_TEXT = { content_type: 'application/json', content_encoding: 'utf-8' } as const;

/** A result for the queue on which its client waits, in the form of Celery's rpc back end. */
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

/** A task for a worker, ours or another of Celery's. */
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

/** What was to follow a task and is not published. */
export function followUpsPublication(task_id: string, follow_ups: FollowUps): Publication {
  const body = Buffer.from(JSON.stringify({ task_id, follow_ups }));
  return { ...JSON_TEXT, routing_key: '', body, correlation_id: task_id };
}

/** Where a message that became no task came from, and where it goes. */
export interface Burial {
  /** The queue that it came from, or was for. */
  from: string;
  to: string;
  at: Date;
}

/**
 * A message that became no task, as it came, with the reason in its headers.
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

/** A delivered message, to be published again. */
export function publicationOf(delivery: Delivery): Publication {
  const { queue, headers, body, content_type, content_encoding, correlation_id, reply_to, priority } = delivery;
  const given = { content_type, content_encoding, correlation_id, reply_to, priority };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  return { routing_key: queue, headers, body, ...(present as Partial<Publication>) };
}

/** A message that was kept, to be published again; AMQP's byte arrays come out of JSON as they went in. */
export function publicationFrom({ publication, body }: Pick<DeadMessage, 'publication' | 'body'>): Publication {
  const said = JSON.parse(publication, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data) : value));
  return { ...said, body: Buffer.from(body, 'base64'), mandatory: true };
}
