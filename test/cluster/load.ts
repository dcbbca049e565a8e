import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { TASK } from './installation.ts';

/** A trigger that was accepted. Times in milliseconds since the epoch. */
export interface Accepted {
  id: number;
  ref: string;
  at: number;
  acceptedAt: number;
  tries: number;
}

/** What a trigger asks for. */
interface Requested {
  ref: string;
  config: string;
}

/** How long a client waits for one response before it asks another API. */
const PATIENCE_MS = 10_000;
const BETWEEN_TRIES_MS = 200;

/**
 * Sends triggers at a steady rate, whether or not earlier ones were answered, as many clients do that must lose none: each asks one API
 * after the other until one accepts.
 * @param configs in turn: each has a repository of its own, since GitHub takes one dispatch a second
 * @param urls of the APIs
 * @param count how many in all
 */
export async function sendTriggers(
  { urls, secret, configs }: { urls: string[]; secret: string; configs: string[] },
  { perSecond, count, prefix }: { perSecond: number; count: number; prefix: string },
): Promise<Accepted[]> {
  const startedAt = Date.now();
  const sending: Promise<Accepted>[] = [];
  for (let n = 0; n < count; n++) {
    const dueAt = startedAt + (n * 1_000) / perSecond;
    const waitMs = dueAt - Date.now();
    if (waitMs > 0) await delay(waitMs);
    sending.push(accepted(urls, n, secret, { ref: `${prefix}-${n}`, config: configs[n % configs.length]! }));
  }
  return Promise.all(sending);
}

async function accepted(urls: string[], first: number, secret: string, build: Requested) {
  const at = Date.now();
  for (let tries = 1; ; tries++) {
    const url = urls[(first + tries) % urls.length]!;
    const id = await idFrom(url, secret, build);
    if (id !== undefined) return { id, ref: build.ref, at, acceptedAt: Date.now(), tries };
    await delay(BETWEEN_TRIES_MS);
  }
}

async function idFrom(url: string, secret: string, build: Requested): Promise<number | undefined> {
  try {
    const response = await fetch(`${url}/builds/trigger`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify(build),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    if (response.status === 202) return JSON.parse(text).id;
    if (response.status < 500 && response.status !== 429) throw new Refused(`${response.status} ${text}`);
    return undefined;
  } catch (error) {
    if (error instanceof Refused) throw error;
    return undefined;
  }
}

/** What no other try would change. */
class Refused extends Error {}

/** Publishes messages at a steady rate, each until RabbitMQ confirms it; a message may so be published twice under its id. */
export async function sendMessages(
  amqpUrl: string,
  { perSecond, count, file }: { perSecond: number; count: number; file: string },
): Promise<string[]> {
  let channel: ConfirmChannel | undefined;
  const published: string[] = [];
  const startedAt = Date.now();
  for (let n = 0; n < count; n++) {
    const waitMs = startedAt + (n * 1_000) / perSecond - Date.now();
    if (waitMs > 0) await delay(waitMs);
    const id = `stamp-${n}`;
    const body = JSON.stringify({ id, task: TASK, kwargs: { file, mark: id } });
    for (;;) {
      try {
        channel ??= await openChannel(amqpUrl);
        channel.sendToQueue('stamps', Buffer.from(body), { persistent: true, contentType: 'application/json' });
        await channel.waitForConfirms();
        break;
      } catch {
        channel = undefined;
        await delay(BETWEEN_TRIES_MS);
      }
    }
    published.push(id);
  }
  await (channel?.connection as ChannelModel | undefined)?.close();
  return published;
}

async function openChannel(url: string): Promise<ConfirmChannel> {
  const connection = await connect(url);
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => {});
  await channel.assertQueue('stamps', { durable: true });
  return channel;
}
