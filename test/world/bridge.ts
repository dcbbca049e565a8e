import { createClient } from '@redis/client';
import { type Channel, connect, type GetMessage, type Options } from 'amqplib';
import pino from 'pino';
import { inject } from 'vitest';
import type { TaskHandlers } from '../../src/activities/task-handlers.ts';
import type { CeleryResult } from '../../src/contracts/celery/celery.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import type { Tracing } from '../../src/contracts/tracing/tracing.ts';
import { type OpenBridge, openBridge } from '../../src/processes/bridge.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { connectTemporal } from '../../src/processes/temporal.ts';
import { eventually } from './eventually.ts';
import { type RabbitMq, startRabbitMq } from './rabbitmq-server.ts';
import { type Redis, startRedis } from './redis-server.ts';
import { openWorld, type World } from './world.ts';

/** The product with a bridge, a real RabbitMQ and a real Redis. */
export interface BridgeWorld {
  world: World;
  rabbit: RabbitMq;
  redis: Redis;
  /** Settings with which a bridge serves this world. */
  environment: Record<string, string>;
  openBridge(tracing?: Tracing): Promise<void>;
  closeBridge(): Promise<void>;
  /** Publishes as a program does that uses AMQP alone. */
  publish(queue: string, body: unknown, options?: Options.Publish): Promise<void>;
  publishAll(queue: string, bodies: unknown[]): Promise<void>;
  /** The next message of a queue, taken off it. */
  next(queue: string): Promise<GetMessage>;
  waiting(queue: string): Promise<number>;
  purge(queue: string): Promise<void>;
  /** All results that Redis holds, as a program finds them there. */
  results(): Promise<CeleryResult[]>;
  close(): Promise<void>;
}

export async function openBridgeWorld(
  handlers: Partial<TaskHandlers>,
  given: Record<string, string> = {},
): Promise<BridgeWorld> {
  const [rabbit, redis] = await Promise.all([startRabbitMq(), startRedis()]);
  const world = await openWorld('server', given, handlers);
  const environment = {
    AMQP_URL: rabbit.url,
    RESULT_REDIS_URL: redis.url,
    DATABASE_URL: world.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: world.namespace,
    LOG_LEVEL: 'fatal',
    ...given,
  };
  let bridge: { open: OpenBridge; disconnect(): Promise<void> } | undefined;
  const it: BridgeWorld = {
    world,
    rabbit,
    redis,
    environment,
    async openBridge(tracing) {
      const settings = readSettings(environment, 'bridge');
      const { connection, client } = await connectTemporal({
        ...settings,
        address: environment.TEMPORAL_ADDRESS,
        tracing,
      });
      const log = pino({ level: 'fatal' });
      const open = await openBridge({
        settings,
        connection,
        client,
        workerBeside: false,
        db: world.db,
        metrics: createMetrics(world.db),
        tracing,
        log,
      });
      bridge = { open, disconnect: () => connection.close() };
    },
    async closeBridge() {
      const closing = bridge;
      bridge = undefined;
      await closing?.open.close();
      await closing?.disconnect();
    },
    publish: (queue, body, options) => publishTo(rabbit.url, queue, [body], options),
    publishAll: (queue, bodies) => publishTo(rabbit.url, queue, bodies, { persistent: true }),
    next: (queue) =>
      eventually(() =>
        withChannel(rabbit.url, async (channel) => {
          const message = await channel.get(queue, { noAck: true });
          if (!message) throw new Error(`${queue} is empty`);
          return message;
        }),
      ),
    waiting: (queue) => withChannel(rabbit.url, async (channel) => (await channel.checkQueue(queue)).messageCount),
    purge: (queue) =>
      withChannel(rabbit.url, async (channel) => {
        await channel.assertQueue(queue, { durable: true });
        await channel.purgeQueue(queue);
      }),
    results: () => resultsIn(redis.url),
    async close() {
      await it.closeBridge();
      await world.close();
      await Promise.all([rabbit.close(), redis.close()]);
    },
  };
  return it;
}

async function publishTo(url: string, queue: string, bodies: unknown[], options?: Options.Publish): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  // As N8N's node does before it publishes.
  await channel.assertQueue(queue, { durable: true });
  for (const body of bodies) {
    channel.sendToQueue(queue, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)), options);
  }
  await channel.waitForConfirms();
  await connection.close();
}

async function withChannel<Result>(url: string, work: (channel: Channel) => Promise<Result>): Promise<Result> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    return await work(channel);
  } finally {
    await connection.close().catch(() => {});
  }
}

async function resultsIn(url: string): Promise<CeleryResult[]> {
  const client = await createClient({ url }).connect();
  try {
    const keys = await client.keys('celery-task-meta-*');
    const values = keys.length === 0 ? [] : await client.mGet(keys);
    return values.map((value, index) => {
      const result = JSON.parse(value ?? 'null') as CeleryResult;
      if (keys[index] !== `celery-task-meta-${result.task_id}`) throw new Error(`${keys[index]} holds ${value}`);
      return result;
    });
  } finally {
    client.destroy();
  }
}
