import { once } from 'node:events';
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
import type { Tracing } from '../../contracts/tracing/tracing.ts';

/** A message to publish. RabbitMQ keeps it on disk unless it is transient. */
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
  message_id?: string;
  timestamp?: number;
  transient?: boolean;
  /** Whether publishing fails if no queue accepts the message. */
  mandatory?: boolean;
}

/** The decision about a message: acknowledge it and then run `afterwards`, or put it back into its queue. */
export type Verdict = { kind: 'ack'; afterwards?: () => Promise<void> } | { kind: 'requeue' };

export interface RabbitMqOptions {
  /** `amqp://` or `amqps://`. It may contain a password, so no error and no log line shows it. */
  url: string;
  /** Queues to consume. Missing ones are declared durable and without arguments, as Celery's producers do. */
  queues: readonly string[];
  /** Declared in the same way, but only published to. */
  deadLetterQueue: string;
  /** How many messages of one queue are handled at once. */
  prefetch: number;
  /** A fanout exchange. This process has its own queue, which gets every message. */
  controlExchange: string;
  /** Returns the trace that a message belongs to, for its headers. Left out: none. */
  carrier?: Tracing['carrier'];
  /** Handles a message, and never rejects. The signal is aborted when the connection is lost; the verdict then has no effect. */
  onDelivery(delivery: Delivery, lost: AbortSignal): Promise<Verdict>;
  onControl(message: Delivery): void;
  /** Called when the connection is made or lost. */
  onState(state: { connected: true } | { connected: false; reason: string; retry_ms: number }): void;
  /** Called when RabbitMQ does not let us consume a queue, once for each reason. It is tried again, and others go on. */
  onRefused(queue: string, reason: string): void;
}

export interface RabbitMq {
  readonly connected: boolean;
  /** Adds queues to consume from now on. Queues that are consumed already continue. */
  consume(queues: readonly string[]): void;
  /** Resolves once RabbitMQ has taken responsibility for the message. @throws {NotPublished} It may or may not have arrived. */
  publish(publication: Publication): Promise<void>;
  /** Stops consuming, waits for messages in progress, and disconnects. */
  close(): Promise<void>;
}

/** Thrown if a message was not published, or if nobody knows whether it was. */
export class NotPublished extends Error {
  override readonly name = 'NotPublished';
}

/** Pauses before attempts to reconnect, from the first to the longest. */
const BACK_OFF = { initialDelay: 100, maxDelay: 10_000, factor: 2, jitter: 0.3 } as const;

/** Pause between attempts to consume a queue that RabbitMQ refused. */
const REFUSED_MS = 10_000;

/** How long messages in progress may take when the bridge stops. After that, how long closing may take, since the broker may be gone. */
const CLOSE_TIMEOUT_MS = 10_000;
const FAREWELL_TIMEOUT_MS = 1_000;

/** Asks for heartbeats (every 10 s), so that either side notices within 20 s if the other is gone. */
function withHeartbeat(url: string): string {
  const target = new URL(url);
  if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', '20');
  return target.href;
}

/** Everything that exists as long as a connection does. */
interface Session {
  model: ChannelModel;
  publisher: ConfirmChannel;
  /** Consumers by queue. */
  consumers: Map<string, Consumer>;
  lost: AbortController;
  /** Consumes a queue. @throws what RabbitMQ says if it refuses. */
  consume(queue: string): Promise<void>;
}

/** A consumer has its own channel, because RabbitMQ closes the channel when it refuses a consumer. */
interface Consumer {
  channel: Channel;
  tag: string;
}

/** Connects, and reconnects with growing pauses whenever the connection or one of its channels is lost. */
export async function connectRabbitMq(options: RabbitMqOptions): Promise<RabbitMq> {
  const { url, onState } = options;
  let session: Session | undefined;
  let underWay = 0;
  const queues = new Set(options.queues);
  /** Why RabbitMQ refuses queues. */
  const refused = new Map<string, string>();

  async function take(channel: Channel, lost: AbortSignal, message: ConsumeMessage, queue: string): Promise<void> {
    underWay++;
    const verdict = await options.onDelivery(deliveryOf(message, queue), lost).finally(() => underWay--);
    // Lost with its connection: RabbitMQ delivers it again.
    if (lost.aborted) return;
    try {
      if (verdict.kind === 'requeue') return channel.nack(message);
      channel.ack(message);
    } catch (error) {
      // The channel is closing, and its `close` event is yet to come: lost as well.
      if (error instanceof IllegalOperationError) return;
      throw error;
    }
    await verdict.afterwards?.().catch(() => {});
  }

  /** Consumes a queue, at once or as soon as RabbitMQ lets us. If the connection is lost, the next one starts with all queues. */
  async function consume(current: Session, queue: string): Promise<void> {
    try {
      await current.consume(queue);
      refused.delete(queue);
    } catch (error) {
      if (current.lost.signal.aborted) return;
      const reason = (error as Error).message;
      if (refused.get(queue) !== reason) options.onRefused(queue, reason);
      refused.set(queue, reason);
      setTimeout(() => !current.lost.signal.aborted && consume(current, queue), REFUSED_MS).unref();
    }
  }

  const connection = await connect(withHeartbeat(url), {
    timeout: 10_000,
    clientProperties: { connection_name: 'hapax' },
    recovery: {
      ...BACK_OFF,
      waitForConnect: false,
      async setup(model: ChannelModel) {
        // Until the setup is done, amqplib itself has no listener, and a RabbitMQ that dies meanwhile would end the process. The setup
        // fails too.
        model.on('error', () => {});
        // amqplib never settles the close of a channel whose connection is lost first.
        await whileOpen(model, async () => {
          const opened = await openSession(model, options, take);
          for (const queue of queues) await consume(opened, queue);
          opened.lost.signal.throwIfAborted();
          session = opened;
        });
      },
    },
  });
  connection.on('connect', () => onState({ connected: true }));
  connection.on('disconnect', () => session?.lost.abort());
  connection.on('reconnect-scheduled', ({ delay: retry_ms, error }) =>
    onState({ connected: false, reason: error.message, retry_ms }),
  );
  // `disconnect` follows, and that has a listener.
  connection.on('error', () => {});

  return {
    get connected() {
      return session !== undefined && !session.lost.signal.aborted;
    },
    consume(more) {
      const current = session;
      for (const queue of more.filter((name) => !queues.has(name))) {
        queues.add(queue);
        if (current) void consume(current, queue);
      }
    },
    publish(given) {
      const trace = options.carrier?.() ?? {};
      const publication = { ...given, headers: { ...given.headers, ...trace } };
      if (!session || session.lost.signal.aborted) return Promise.reject(new NotPublished('RabbitMQ is not connected'));
      return publication.exchange ? publishApart(session.model, publication) : publish(session.publisher, publication);
    },
    async close() {
      const consumers = [...(session?.consumers.values() ?? [])];
      const deadline = Date.now() + CLOSE_TIMEOUT_MS;
      await within(
        CLOSE_TIMEOUT_MS,
        Promise.allSettled(consumers.map(async ({ channel, tag }) => channel.cancel(tag))),
      );
      while (underWay > 0 && Date.now() < deadline) await delay(20);
      session?.lost.abort();
      // Frames keep their order within a channel, but not across channels. Closing the connection at once could overtake the last ack.
      await within(FAREWELL_TIMEOUT_MS, Promise.allSettled(consumers.map(async ({ channel }) => channel.close())));
      await within(FAREWELL_TIMEOUT_MS, connection.close());
    },
  };
}

/** Waits for a reply of the broker, but only this long: the broker may be frozen or gone. */
async function within(ms: number, answered: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([answered, delay(ms, undefined, { signal: over.signal })]).finally(() => over.abort());
}

/** Does work on a connection. @throws if the connection closes first. */
async function whileOpen(model: ChannelModel, work: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const closed = once(model, 'close', { signal: over.signal }).then(() => {
    throw new Error('the connection closed while it was set up');
  });
  await Promise.race([work(), closed]).finally(() => over.abort());
}

async function openSession(
  model: ChannelModel,
  options: RabbitMqOptions,
  take: (channel: Channel, lost: AbortSignal, message: ConsumeMessage, queue: string) => Promise<void>,
): Promise<Session> {
  const { deadLetterQueue, prefetch, controlExchange } = options;
  const lost = new AbortController();
  model.on('close', () => lost.abort());
  // If RabbitMQ closes a channel (a queue was deleted, an ack came too late), close the connection too: one repair for both cases. Work in
  // progress is lost from here on, because no channel accepts anything while the connection closes.
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
  const control = await open(await model.createChannel());
  const consumers = new Map<string, Consumer>();
  const consume = async (queue: string) => {
    await ensureQueue(queue);
    const channel = await model.createChannel();
    channel.on('error', () => {});
    const closed = new Promise((resolve) => channel.once('close', resolve));
    await channel.prefetch(prefetch);
    const { consumerTag: tag } = await channel.consume(queue, (message) => {
      if (message) void take(channel, lost.signal, message, queue);
      else reopen();
    });
    void closed.then(reopen);
    consumers.set(queue, { channel, tag });
  };
  const { queue } = await control.assertQueue('', { exclusive: true, autoDelete: true });
  await control.bindQueue(queue, controlExchange, '');
  await control.consume(queue, (message) => message && options.onControl(deliveryOf(message, queue)), { noAck: true });
  return { model, publisher, consumers, lost, consume };
}

/** Declares what is missing, and leaves existing things as their owner made them. A failed check costs a channel. */
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

/** Codes with which RabbitMQ closes a channel that publishes to a missing or forbidden exchange. */
const REFUSALS = new Set([403, 404]);

/** Publishes to a named exchange. Somebody else may have chosen the name, so this uses a channel of its own, which it may lose. */
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
    // Not awaited: if the connection is lost first, amqplib never settles it.
    void channel.close().catch(() => {});
  }
}

function publish(channel: ConfirmChannel, publication: Publication): Promise<void> {
  const { exchange = '', routing_key, body, mandatory = false } = publication;
  return new Promise((resolve, reject) => {
    let returned = false;
    // By this, what RabbitMQ returns is known again. Nobody reads it, and its publisher's own id stays as it is.
    const appId = mandatory ? `hapax ${crypto.randomUUID()}` : undefined;
    const onReturn = (message: { properties: { appId?: unknown } }) => {
      if (message.properties.appId === appId) returned = true;
    };
    // RabbitMQ returns a message before it confirms it.
    if (mandatory) channel.on('return', onReturn);
    const options = { ...optionsOf(publication), mandatory, ...(appId && { appId }) };
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

/** Thrown if AMQP cannot carry a message: its headers exceed a frame, or a table cannot hold a value. */
export class Unwritable extends Error {
  override readonly name = 'Unwritable';
}

/** Thrown if no queue accepts a message. Trying again does not help. */
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
  message_id,
  timestamp,
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
    ...(message_id === undefined ? {} : { messageId: message_id }),
    ...(timestamp === undefined ? {} : { timestamp }),
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
