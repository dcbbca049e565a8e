import { createClient } from '@redis/client';
import { connect } from 'amqplib';
import { tlsOf } from './result-store.ts';

const TIMEOUT_MS = 5_000;

/** Connects to a RabbitMQ, logs in and disconnects. @throws if it is away or refuses. */
export async function reachRabbitMq(url: string): Promise<void> {
  const connection = await connect(url, { timeout: TIMEOUT_MS });
  await connection.close();
}

/** Connects to a Redis, logs in and disconnects. @throws if it is away or refuses. */
export async function reachRedis(url: string): Promise<void> {
  const client = createClient({
    url: url.replace(/\?.*$/, ''),
    socket: { ...tlsOf(url), connectTimeout: TIMEOUT_MS, reconnectStrategy: false },
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.ping();
  } finally {
    client.destroy();
  }
}
