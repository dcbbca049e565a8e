import { connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Delivery } from '../../src/contracts/celery/celery.ts';
import {
  connectRabbitMq,
  NotPublished,
  type RabbitMq,
  Unroutable,
  Unwritable,
  type Verdict,
} from '../../src/integrations/celery/rabbitmq.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { startProxy } from '../world/proxy.ts';
import { hasRabbitMq, type RabbitMq as Server, startRabbitMq } from '../world/rabbitmq-server.ts';
import { describeWith } from '../world/required-programs.ts';
import { startTamperingProxy } from '../world/tampering-proxy.ts';

let server: Server;
const open: RabbitMq[] = [];

afterEach(async () => {
  for (const rabbit of open.splice(0)) await rabbit.close();
});

/** A client that consumes queues of its own, and what it saw. */
async function client(
  name: string,
  answer: (delivery: Delivery, lost: AbortSignal) => Promise<Verdict>,
  url = server.url,
) {
  const seen: Delivery[] = [];
  const controls: Delivery[] = [];
  const states: string[] = [];
  const refused: string[] = [];
  const rabbit = await connectRabbitMq({
    url,
    queues: [name],
    deadLetterQueue: `${name}.dead`,
    prefetch: 4,
    controlExchange: `${name}.control`,
    onDelivery(delivery, lost) {
      seen.push(delivery);
      return answer(delivery, lost);
    },
    onControl: (message) => void controls.push(message),
    onState: (state) => void states.push(state.connected ? 'connected' : state.reason),
    onRefused: (queue, reason) => void refused.push(`${queue}: ${reason}`),
  });
  open.push(rabbit);
  await eventually(() => expect(rabbit.connected).toBe(true));
  return { rabbit, seen, controls, states, refused };
}

const text = (delivery: Delivery | undefined) => Buffer.from(delivery?.body ?? []).toString();
const ack = async (): Promise<Verdict> => ({ kind: 'ack' });

/** Messages that wait in a queue, neither taken nor under way. */
async function waiting(queue: string): Promise<number> {
  const connection = await connect(server.url);
  const channel = await connection.createChannel();
  const { messageCount } = await channel.checkQueue(queue);
  await connection.close();
  return messageCount;
}

describeWith({ RabbitMQ: hasRabbitMq }, 'the connection to RabbitMQ', () => {
  beforeAll(async () => {
    server = await startRabbitMq();
  });
  afterAll(() => server?.close());

  it('delivers what was published, with what was said about it', async () => {
    const { rabbit, seen } = await client('told', ack);
    await rabbit.publish({
      routing_key: 'told',
      body: Buffer.from('{}'),
      headers: { task: 'a', retries: 0, eta: null },
      content_type: 'application/json',
      correlation_id: 'c',
      reply_to: 'r',
      priority: 7,
    });
    await eventually(() => expect(seen).toHaveLength(1));
    expect(seen[0]).toMatchObject({
      queue: 'told',
      redelivered: false,
      content_type: 'application/json',
      content_encoding: null,
      correlation_id: 'c',
      reply_to: 'r',
      priority: 7,
      headers: { task: 'a', retries: 0, eta: null },
    });
    expect(text(seen[0])).toBe('{}');
  });

  it('takes messages with headers that amqplib cannot write, and goes on', async () => {
    const { seen, states } = await client('foreign', ack);
    const way = await startTamperingProxy(Number(new URL(server.url).port));
    onTestFinished(() => way.close());
    const connection = await connect(server.url.replace(/:\d+\//, `:${way.port}/`));
    onTestFinished(() => connection.close());
    const channel = await connection.createConfirmChannel();
    const send = async (headers: Record<string, unknown>) => {
      channel.sendToQueue('foreign', Buffer.from(''), { headers });
      await channel.waitForConfirms();
    };
    // The tag that py-amqp gives to integers beyond 32 bits.
    way.change('\x05largel', '\x05largeL');
    await send({ large: 2 ** 40, next: 'a' });
    await send({ large: -(2 ** 40), next: 'a' });
    // Tables in tables, too deep to be read.
    const table = Buffer.alloc(6 * 10_000);
    for (let at = 0; at < table.length; at += 6) {
      table.write('F', at + 1);
      table.writeUInt32BE(table.length - at - 6, at + 2);
    }
    way.change('\x04deepx', '\x04deepF');
    await send({ deep: table });
    await send({ next: 'b' });
    await eventually(() => expect(seen).toHaveLength(4));
    expect(seen.map(({ headers }) => headers)).toEqual([
      { large: 2 ** 40, next: 'a' },
      { large: -(2 ** 40), next: 'a' },
      { 'amqplib-unread-table': expect.any(Buffer) },
      { next: 'b' },
    ]);
    expect(states).toEqual(['connected']);
  });

  it('has at most four messages of a queue under way', async () => {
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { rabbit, seen } = await client('prefetch', () => held.then(ack));
    for (let i = 0; i < 10; i++) await rabbit.publish({ routing_key: 'prefetch', body: Buffer.from(`${i}`) });
    await eventually(() => expect(seen).toHaveLength(4));
    expect(await waiting('prefetch')).toBe(6);
    release!();
    await eventually(() => expect(seen.map(text)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']));
  });

  it('comes back after RabbitMQ was killed, with every message that was not acknowledged', async () => {
    const done = new Set<string>();
    const lost: boolean[] = [];
    let isKilled = false;
    const { rabbit, seen, states } = await client('killed', async (delivery, signal) => {
      if (!isKilled) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        lost.push(signal.aborted);
      }
      done.add(text(delivery));
      return { kind: 'ack' };
    });
    for (let i = 0; i < 3; i++) await rabbit.publish({ routing_key: 'killed', body: Buffer.from(`${i}`) });
    await eventually(() => expect(seen).toHaveLength(3));
    isKilled = true;
    await server.stop('SIGKILL');
    await eventually(() => expect(rabbit.connected).toBe(false));
    await expect(rabbit.publish({ routing_key: 'killed', body: Buffer.from('') })).rejects.toThrow(NotPublished);
    await server.start();
    await eventually(() => expect(rabbit.connected).toBe(true));
    // A broker that was killed may not have noted yet that it had delivered them, so they need not say `redelivered`.
    await eventually(() => expect(seen.slice(3).map(text).sort()).toEqual(['0', '1', '2']));
    await eventually(() => expect([...done].sort()).toEqual(['0', '1', '2']));
    expect(lost).toEqual([true, true, true]);
    // No message twice after it was acknowledged, and no password in what is logged.
    expect(await waiting('killed')).toBe(0);
    expect(states.at(-1)).toBe('connected');
    expect(states.join()).not.toContain('guest');
  });

  it('leaves what ends while the connection closes to be delivered again', async () => {
    const way = await startFreezingProxy(Number(new URL(server.url).port));
    onTestFinished(() => way.close());
    const url = server.url.replace(/:\d+(?=\/|$)/, `:${way.port}`);
    let release: (verdict: Verdict) => void;
    const verdict = new Promise<Verdict>((resolve) => {
      release = resolve;
    });
    const { rabbit, seen } = await client('leaving', () => verdict, url);
    await rabbit.publish({ routing_key: 'leaving', body: Buffer.from('') });
    await eventually(() => expect(seen).toHaveLength(1));
    // The queue goes: RabbitMQ cancels the consumer, and never hears that the connection is closed for it.
    const BASIC_CANCEL = Buffer.from([0, 60, 0, 30]);
    way.freezeAfter(BASIC_CANCEL);
    const connection = await connect(server.url);
    await (await connection.createChannel()).deleteQueue('leaving');
    await connection.close();
    const publishing = () => rabbit.publish({ routing_key: 'leaving', body: Buffer.from('') });
    await eventually(async () => {
      const turn = new Promise((resolve) => setImmediate(resolve, 'waits'));
      expect(await Promise.race([publishing().catch(() => 'refused'), turn])).toBe('refused');
    });
    const rejected: unknown[] = [];
    const onRejection = (reason: unknown) => void rejected.push(reason);
    process.on('unhandledRejection', onRejection);
    onTestFinished(() => void process.off('unhandledRejection', onRejection));
    release!({ kind: 'ack' });
    await expect(publishing()).rejects.toThrow(NotPublished);
    await new Promise(setImmediate);
    expect(rejected).toEqual([]);
  });

  it('says of an exchange that it is missing, and stays connected', async () => {
    const { rabbit, states } = await client('exchanges', ack);
    const publish = (exchange: string) => rabbit.publish({ exchange, routing_key: 'exchanges', body: Buffer.from('') });
    await expect(publish('no-such-exchange')).rejects.toThrow(Unroutable);
    // Only RabbitMQ itself may publish there.
    await expect(publish('amq.rabbitmq.trace')).rejects.toThrow(Unroutable);
    await publish('amq.direct');
    expect(states).toEqual(['connected']);
    const long = { routing_key: 'exchanges', body: Buffer.from(''), headers: { ['k'.repeat(300)]: 1 } };
    await expect(rabbit.publish(long)).rejects.toThrow(Unwritable);
    await rabbit.publish({ routing_key: 'exchanges', body: Buffer.from('') });
    expect(states).toEqual(['connected']);
  });

  it('says of a publication that no queue takes', async () => {
    const { rabbit } = await client('unroutable', ack);
    const nowhere = { routing_key: 'no-such-queue', body: Buffer.from('') };
    await expect(rabbit.publish({ ...nowhere, mandatory: true })).rejects.toThrow(Unroutable);
    await rabbit.publish(nowhere);
    await rabbit.publish({ routing_key: 'unroutable.dead', body: Buffer.from(''), mandatory: true });
  });

  it('begins anew where a queue that it consumes is deleted', async () => {
    const { rabbit, seen } = await client('deleted', ack);
    const connection = await connect(server.url);
    await (await connection.createChannel()).deleteQueue('deleted');
    await connection.close();
    await eventually(async () => {
      await rabbit.publish({ routing_key: 'deleted', body: Buffer.from('again'), mandatory: true });
    });
    await eventually(() => expect(seen.map(text)).toContain('again'));
  });

  it('consumes a queue that its owner made otherwise', async () => {
    const connection = await connect(server.url);
    const channel = await connection.createChannel();
    await channel.assertQueue('otherwise', { durable: true, arguments: { 'x-max-priority': 10 } });
    const { seen } = await client('otherwise', ack);
    channel.sendToQueue('otherwise', Buffer.from('here'));
    await eventually(() => expect(seen.map(text)).toEqual(['here']));
    await connection.close();
  });

  it('goes on without a queue that RabbitMQ refuses, also when it connects again, and takes it once it may', async () => {
    const { rabbit, seen, states, refused } = await client('allowed', ack);
    const other = await connect(server.url);
    const channel = await other.createChannel();
    await channel.assertQueue('taken', { durable: true });
    await channel.consume('taken', () => {}, { exclusive: true });
    rabbit.consume(['amq.mine', 'taken', 'also-allowed']);
    await eventually(() =>
      expect(refused).toEqual([
        expect.stringMatching(/^amq\.mine: .*ACCESS_REFUSED/),
        expect.stringMatching(/^taken: .*ACCESS_REFUSED/),
      ]),
    );
    const hears = async (queue: string) => {
      const body = `${queue} ${seen.length}`;
      await rabbit.publish({ routing_key: queue, body: Buffer.from(body), mandatory: true });
      await eventually(() => expect(seen.map(text)).toContain(body));
    };
    await hears('allowed');
    await hears('also-allowed');
    await other.close();
    await hears('taken');
    expect(states).toEqual(['connected']);
    await server.stop();
    await eventually(() => expect(rabbit.connected).toBe(false));
    await server.start();
    await eventually(() => expect(rabbit.connected).toBe(true));
    for (const queue of ['allowed', 'also-allowed', 'taken']) await hears(queue);
    expect(refused).toHaveLength(2);
  });

  it('hears what is said to all', async () => {
    const { rabbit, controls } = await client('heard', ack);
    await rabbit.publish({ exchange: 'heard.control', routing_key: '', body: Buffer.from('to all') });
    await eventually(() => expect(controls.map(text)).toEqual(['to all']));
  });

  it('lets what is under way end before it closes', async () => {
    let ended = false;
    const { rabbit, seen } = await client('closing', async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      ended = true;
      return { kind: 'ack' };
    });
    await rabbit.publish({ routing_key: 'closing', body: Buffer.from('') });
    await eventually(() => expect(seen).toHaveLength(1));
    await rabbit.close();
    expect(ended).toBe(true);
    expect(await waiting('closing')).toBe(0);
  });

  it('goes on wherever RabbitMQ dies while a connection is set up', async () => {
    let heard = 0;
    let dies = 1;
    const way = await startProxy(Number(new URL(server.url).port), {
      pass(chunk, from) {
        if (from === 'server' && ++heard === dies) way.drop();
        return chunk;
      },
    });
    onTestFinished(() => way.close());
    const url = server.url.replace(/:\d+\//, `:${way.port}/`);
    // Once a connection is set up before it dies, all moments before that have been tried.
    for (let states: string[] = []; states[0] !== 'connected'; dies++) {
      heard = 0;
      const { rabbit, ...seen } = await client('dying', ack, url);
      await eventually(() => rabbit.publish({ routing_key: 'dying', body: Buffer.from(`${dies}`) }));
      await eventually(() => expect(seen.seen.map(text)).toContain(`${dies}`));
      await rabbit.close();
      states = seen.states;
    }
    expect(dies).toBeGreaterThan(5);
  });

  it('closes though the broker answers no more', async () => {
    const way = await startFreezingProxy(Number(new URL(server.url).port));
    const url = server.url.replace(/:\d+\//, `:${way.port}/`);
    const { rabbit } = await client('frozen', ack, url);
    way.freeze();
    await rabbit.close();
    open.splice(open.indexOf(rabbit), 1);
    await way.close();
  });
});
