import { setTimeout as delay } from 'node:timers/promises';
import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  IllegalOperationError,
  type Options,
} from 'amqplib';
import type { Delivery } from '../../contracts/celery/celery.ts';

/** A message to publish; RabbitMQ keeps it on disk unless it is transient. */
export interface Publication {
  exchange?: string;
  routing_key: string;
  body: Uint8Array;
  headers?: Record<string, unknown>;
  content_type?: string;
  content_encoding?: string;
  correlation_id?: string;
  reply_to?: string;
  priority?: number;
  transient?: boolean;
  /** Whether it fails where no queue takes it. */
  mandatory?: boolean;
}

/** What to do with a message: acknowledge it, and then run `afterwards`; or put it back into its queue. */
export type Verdict = { kind: 'ack'; afterwards?: () => Promise<void> } | { kind: 'requeue' };

export interface RabbitMqOptions {
  /** `amqp://` or `amqps://`; may hold a password, so it is in no error and no log line. */
  url: string;
  /** Consumed; declared durable and without arguments, as Celery's producers do, where they are not there. */
  queues: readonly string[];
  /** Declared alike, and only published to. */
  deadLetterQueue: string;
  /** Messages of one queue that are under way at once. */
  prefetch: number;
  /** A fanout exchange of which a queue of our own gets every message. */
  controlExchange: string;
  /** Never rejects. The signal is aborted when the connection is lost: then the verdict counts for nothing. */
  onDelivery(delivery: Delivery, lost: AbortSignal): Promise<Verdict>;
  onControl(message: Delivery): void;
  /** Told when the connection comes and goes. */
  onState(state: { connected: true } | { connected: false; reason: string; retry_ms: number }): void;
}

export interface RabbitMq {
  readonly connected: boolean;
  /** Has these queues consumed as well from now on; those that are consumed already stay so. */
  consume(queues: readonly string[]): void;
  /** Resolves once RabbitMQ has taken responsibility for the message. @throws {NotPublished} it may or may not have arrived. */
  publish(publication: Publication): Promise<void>;
  /** Stops consuming, lets what is under way end, and disconnects. */
  close(): Promise<void>;
}

/** Thrown where a message was not published, or nobody knows. */
export class NotPublished extends Error {
  override readonly name = 'NotPublished';
}

/** From the first try to reconnect to the longest pause. */
const BACK_OFF = { initialDelay: 100, maxDelay: 10_000, factor: 2, jitter: 0.3 } as const;

/** How long what is under way may take when the bridge stops, and then the farewell to a broker that may be gone. */
const CLOSE_TIMEOUT_MS = 10_000;
const FAREWELL_TIMEOUT_MS = 1_000;

/** Asks for heartbeats (every 10 s), so that either side notices within 20 s when the other is gone. */
function withHeartbeat(url: string): string {
  const target = new URL(url);
  if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', '20');
  return target.href;
}

/** What exists for as long as a connection does. */
interface Session {
  model: ChannelModel;
  publisher: ConfirmChannel;
  consumer: Channel;
  /** Tags of the consumers, by their queues. */
  tags: Map<string, Promise<string>>;
  lost: AbortController;
  /** Consumes a queue, once. */
  consume(queue: string): Promise<unknown>;
}

/** Connects, and connects again whenever the connection or one of its channels is lost, with growing pauses. */
export async function connectRabbitMq(options: RabbitMqOptions): Promise<RabbitMq> {
  const { url, onState } = options;
  let session: Session | undefined;
  let underWay = 0;
  const queues = new Set(options.queues);

  async function take(current: Session, message: ConsumeMessage, queue: string): Promise<void> {
    underWay++;
    const verdict = await options.onDelivery(deliveryOf(message, queue), current.lost.signal).finally(() => underWay--);
    // Lost with its connection: RabbitMQ delivers it again.
    if (current.lost.signal.aborted) return;
    try {
      if (verdict.kind === 'requeue') return current.consumer.nack(message);
      current.consumer.ack(message);
    } catch (error) {
      // The channel is closing and `close` is still to come: lost as well.
      if (error instanceof IllegalOperationError) return;
      throw error;
    }
    await verdict.afterwards?.().catch(() => {});
  }

  const connection = await connect(withHeartbeat(url), {
    timeout: 10_000,
    clientProperties: { connection_name: 'hapax' },
    recovery: {
      ...BACK_OFF,
      waitForConnect: false,
      async setup(model: ChannelModel) {
        const opened = await openSession(model, options, take);
        for (const queue of queues) await opened.consume(queue);
        session = opened;
      },
    },
  });
  connection.on('connect', () => onState({ connected: true }));
  connection.on('disconnect', () => session?.lost.abort());
  connection.on('reconnect-scheduled', ({ delay: retry_ms, error }) =>
    onState({ connected: false, reason: error.message, retry_ms }),
  );
  // Followed by `disconnect`, which is heard.
  connection.on('error', () => {});

  return {
    get connected() {
      return session !== undefined && !session.lost.signal.aborted;
    },
    consume(more) {
      const current = session;
      for (const queue of more.filter((name) => !queues.has(name))) {
        queues.add(queue);
        // A connection that is lost meanwhile is opened again with all queues.
        current?.consume(queue).catch(() => {});
      }
    },
    publish(publication) {
      if (!session || session.lost.signal.aborted) return Promise.reject(new NotPublished('RabbitMQ is not connected'));
      return publication.exchange ? publishApart(session.model, publication) : publish(session.publisher, publication);
    },
    async close() {
      const consumer = session?.consumer;
      const deadline = Date.now() + CLOSE_TIMEOUT_MS;
      const cancel = async (tag: Promise<string>) => consumer?.cancel(await tag);
      await within(CLOSE_TIMEOUT_MS, Promise.allSettled([...(session?.tags.values() ?? [])].map(cancel)));
      while (underWay > 0 && Date.now() < deadline) await delay(20);
      session?.lost.abort();
      // Frames of one channel keep their order, those of several do not: a goodbye to all could overtake the last ack.
      await within(FAREWELL_TIMEOUT_MS, Promise.allSettled([consumer?.close()]));
      await within(FAREWELL_TIMEOUT_MS, connection.close());
    },
  };
}

/** Waits for an answer of the broker, but only for so long: it may be frozen or gone. */
async function within(ms: number, answered: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([answered, delay(ms, undefined, { signal: over.signal })]).finally(() => over.abort());
}

async function openSession(
  model: ChannelModel,
  options: RabbitMqOptions,
  take: (session: Session, message: ConsumeMessage, queue: string) => Promise<void>,
): Promise<Session> {
  const { deadLetterQueue, prefetch, controlExchange } = options;
  const lost = new AbortController();
  model.on('close', () => lost.abort());
  // If RabbitMQ closes a channel (a queue was deleted, an ack came too late), close the connection too: one way to mend both.
  // What is under way is lost from here on: none of the channels takes anything while the connection closes.
  const reopen = () => {
    if (lost.signal.aborted) return;
    lost.abort();
    model.close().catch(() => {});
  };
  const open = async <Kind extends Channel>(channel: Kind): Promise<Kind> => {
    channel.on('error', () => {});
    channel.on('close', reopen);
    return channel;
  };
  const ensureQueue = (queue: string) =>
    ensure(
      model,
      (channel) => channel.checkQueue(queue),
      (channel) => channel.assertQueue(queue, { durable: true }),
    );
  await ensureQueue(deadLetterQueue);
  await ensure(
    model,
    (channel) => channel.checkExchange(controlExchange),
    (channel) => channel.assertExchange(controlExchange, 'fanout', { durable: false }),
  );

  const publisher = await open(await model.createConfirmChannel());
  const consumer = await open(await model.createChannel());
  const control = await open(await model.createChannel());
  const session: Session = {
    ...{ model, publisher, consumer, tags: new Map(), lost },
    consume(queue) {
      const consuming = session.tags.get(queue) ?? begin(queue);
      session.tags.set(queue, consuming);
      return consuming;
    },
  };
  const begin = async (queue: string): Promise<string> => {
    await ensureQueue(queue);
    const { consumerTag } = await consumer.consume(queue, (message) => {
      if (message) void take(session, message, queue);
      else reopen();
    });
    return consumerTag;
  };
  await consumer.prefetch(prefetch);
  const { queue } = await control.assertQueue('', { exclusive: true, autoDelete: true });
  await control.bindQueue(queue, controlExchange, '');
  await control.consume(queue, (message) => message && options.onControl(deliveryOf(message, queue)), { noAck: true });
  return session;
}

/** Declares what is missing, and leaves what exists as its owner made it. A failed look costs a channel. */
async function ensure(
  model: ChannelModel,
  look: (channel: Channel) => Promise<unknown>,
  declare: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  for (const step of [look, declare]) {
    const channel = await model.createChannel();
    channel.on('error', () => {});
    try {
      await step(channel);
      await channel.close();
      return;
    } catch (error) {
      if (step === declare) throw error;
    }
  }
}

/** RabbitMQ closes the channel of one who publishes to an exchange that is missing or forbidden: these codes say so. */
const REFUSALS = new Set([403, 404]);

/** Publishes to a named exchange, whose name another may have chosen, on a channel that it may cost. */
async function publishApart(model: ChannelModel, publication: Publication): Promise<void> {
  const channel = await model.createConfirmChannel().catch((error: Error) => {
    throw new NotPublished(`RabbitMQ is not connected: ${error.message}`);
  });
  const refused = new Promise<never>((_, reject) => {
    channel.on('error', (error: Error & { code?: number }) =>
      reject(new (REFUSALS.has(error.code ?? 0) ? Unroutable : NotPublished)(error.message)),
    );
  });
  try {
    await Promise.race([publish(channel, publication), refused]);
  } finally {
    refused.catch(() => {});
    await channel.close().catch(() => {});
  }
}

function publish(channel: ConfirmChannel, publication: Publication): Promise<void> {
  const { exchange = '', routing_key, body, mandatory = false } = publication;
  return new Promise((resolve, reject) => {
    let returned = false;
    const messageId = mandatory ? crypto.randomUUID() : undefined;
    const onReturn = (message: { properties: { messageId?: unknown } }) => {
      if (message.properties.messageId === messageId) returned = true;
    };
    // RabbitMQ returns a message before it confirms it.
    if (mandatory) channel.on('return', onReturn);
    const options = { ...optionsOf(publication), mandatory, ...(messageId ? { messageId } : {}) };
    try {
      channel.publish(exchange, routing_key, Buffer.from(body), options, (error: unknown) => {
        channel.off('return', onReturn);
        if (error) reject(new NotPublished(`RabbitMQ did not confirm: ${(error as Error).message ?? 'refused'}`));
        else if (returned)
          reject(new Unroutable(`no queue takes ${exchange || 'the default exchange'} ${routing_key}`));
        else resolve();
      });
    } catch (error) {
      channel.off('return', onReturn);
      const isClosing = error instanceof IllegalOperationError;
      reject(isClosing ? new NotPublished('RabbitMQ is not connected') : new Unwritable((error as Error).message));
    }
  });
}

/** Thrown where AMQP cannot carry a message: headers larger than a frame, or a value that a table cannot hold. */
export class Unwritable extends Error {
  override readonly name = 'Unwritable';
}

/** Thrown where no queue takes a message, which trying again does not mend. */
export class Unroutable extends Error {
  override readonly name = 'Unroutable';
}

function optionsOf({
  headers = {},
  content_type,
  content_encoding,
  correlation_id,
  reply_to,
  priority,
  transient,
}: Publication): Options.Publish {
  return {
    headers,
    deliveryMode: transient ? 1 : 2,
    ...(content_type === undefined ? {} : { contentType: content_type }),
    ...(content_encoding === undefined ? {} : { contentEncoding: content_encoding }),
    ...(correlation_id === undefined ? {} : { correlationId: correlation_id }),
    ...(reply_to === undefined ? {} : { replyTo: reply_to }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function deliveryOf({ fields, properties, content }: ConsumeMessage, queue: string): Delivery {
  return {
    queue,
    redelivered: fields.redelivered,
    content_type: properties.contentType ?? null,
    content_encoding: properties.contentEncoding ?? null,
    correlation_id: properties.correlationId ?? null,
    message_id: properties.messageId ?? null,
    reply_to: properties.replyTo ?? null,
    priority: properties.priority ?? null,
    timestamp: properties.timestamp ?? null,
    headers: properties.headers ?? {},
    body: content,
  };
}
