import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Delivery } from '../../src/contracts/celery/celery.ts';

const FOLDER = fileURLToPath(new URL('../fixtures/celery', import.meta.url));

interface Captured {
  routing_key: string;
  redelivered: boolean;
  properties: Record<string, string | number | null>;
  headers: Record<string, unknown>;
  body_text: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: what Celery 5.7 sent, whatever its form.
  body: any;
}

/** A file captured from Celery 5.7.0, RabbitMQ 3.10 and Redis 7. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export const captured = (path: string): any => JSON.parse(readFileSync(join(FOLDER, path), 'utf8'));

export const captures = (folder: string): string[] =>
  readdirSync(join(FOLDER, folder)).map((name) => `${folder}/${name}`);

/** The messages of a capture, as they are delivered. */
export function deliveries(path: string): Array<{ delivery: Delivery; captured: Captured }> {
  return captured(path).messages.map((message: Captured) => ({ delivery: deliveryOf(message), captured: message }));
}

function deliveryOf({ routing_key, redelivered, properties, headers, body_text, body }: Captured): Delivery {
  const text = (name: string) => (properties[name] as string | null | undefined) ?? null;
  return delivery({
    queue: routing_key,
    redelivered,
    content_type: text('content_type'),
    content_encoding: text('content_encoding'),
    correlation_id: text('correlation_id'),
    reply_to: text('reply_to'),
    priority: (properties.priority as number | null) ?? null,
    headers,
    body: body_text === null ? Buffer.from(body.__bytes__, 'base64') : Buffer.from(body_text),
  });
}

/** A delivery with these members; the others as a publisher leaves them that sets nothing. */
export function delivery(given: Partial<Delivery>): Delivery {
  return {
    queue: 'youtube',
    redelivered: false,
    content_type: null,
    content_encoding: null,
    correlation_id: null,
    message_id: null,
    reply_to: null,
    priority: null,
    timestamp: null,
    headers: {},
    body: Buffer.from(''),
    ...given,
  };
}
