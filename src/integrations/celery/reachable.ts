import { createClient } from '@redis/client';
import { connect } from 'amqplib';

const TIMEOUT_MS = 5_000;

/** Logs in at a RabbitMQ and leaves again. @throws where it is away, or refuses. */
export async function reachRabbitMq(url: string): Promise<void> {
  const connection = await connect(url, { timeout: TIMEOUT_MS });
  await connection.close();
}

/** Logs in at a Redis and leaves again. @throws where it is away, or refuses. */
export async function reachRedis(url: string): Promise<void> {
  const client = createClient({
    url: url.replace(/\?.*$/, ''),
    socket: { connectTimeout: TIMEOUT_MS, reconnectStrategy: false },
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.ping();
  } finally {
    client.destroy();
  }
}
