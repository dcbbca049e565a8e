import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type BridgeWorld, openBridgeWorld } from '../world/bridge.ts';
import { type CelerySpec, celery, hasCelery } from '../world/celery.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { hasRabbitMq } from '../world/rabbitmq-server.ts';
import { hasRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';

/** The tasks whose work has begun. */
const begun = new Set<string>();
let open: BridgeWorld;

const user = (steps: CelerySpec['steps']) => celery({ broker: open.rabbit.url, backend: open.redis.url, steps });
/** The task once it has ended. */
const ended = (id: string) =>
  eventually(async () => {
    const { json } = await open.world.call('GET', `/tasks/${id}`);
    expect(json.completed_at, JSON.stringify(json)).toBeTypeOf('string');
    return json;
  });

describeWith({ RabbitMQ: hasRabbitMq, Redis: hasRedis, 'Python with Celery': hasCelery() }, 'control commands', () => {
  beforeAll(async () => {
    open = await openBridgeWorld({
      async semantic_search({ query }, { taskId, signal }) {
        begun.add(taskId);
        if (query === 'slow') {
          await new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
          );
        }
        return { query, results: [] };
      },
    });
    await open.openBridge();
  });
  afterAll(() => open?.close());

  it('revokes what runs, what waits and what has not come yet, and answers what is asked of workers', async () => {
    const early = randomUUID();
    const [running, , slow, waiting, , later, , , never, pong, registered] = await user([
      { do: 'send', task: 'tasks.semantic_search', args: ['slow'], as: 'slow' },
      { do: 'revoke', of: 'slow', terminate: true },
      { do: 'get', of: 'slow' },
      { do: 'send', task: 'tasks.semantic_search', args: ['later'], as: 'later', options: { eta_in: 3_600 } },
      { do: 'revoke', of: 'later' },
      { do: 'get', of: 'later' },
      { do: 'revoke', of: early },
      { do: 'send', task: 'tasks.semantic_search', args: ['early'], as: 'early', options: { task_id: early } },
      { do: 'get', of: 'early' },
      { do: 'inspect', method: 'ping' },
      { do: 'inspect', method: 'registered' },
    ]);
    for (const revoked of [slow, later, never]) {
      expect(revoked).toMatchObject({ raises: 'TaskRevokedError', module: 'celery.exceptions', status: 'REVOKED' });
    }
    expect([running.id, waiting.id].every(Boolean)).toBe(true);
    // What was revoked before it came was never worked at.
    expect(begun.has(early)).toBe(false);
    expect(await ended(early)).toMatchObject({ status: 'REVOKED', reason: 'revoked' });
    expect(Object.values(pong)).toEqual([{ ok: 'pong' }]);
    expect(Object.values(registered).flat()).toContain('tasks.ingest_youtube');
  });

  it('revokes a task once Temporal is back', async () => {
    const { TEMPORAL_ADDRESS } = open.environment;
    const way = await startFreezingProxy(Number(TEMPORAL_ADDRESS!.split(':')[1]));
    const openWith = async (address: string) => {
      await open.closeBridge();
      open.environment.TEMPORAL_ADDRESS = address;
      await open.openBridge();
    };
    onTestFinished(async () => {
      await openWith(TEMPORAL_ADDRESS!);
      await way.close();
    });
    await openWith(`127.0.0.1:${way.port}`);
    const message = { id: randomUUID(), task: 'tasks.semantic_search', args: ['slow'] };
    await open.publish('search', message);
    await eventually(() => expect(begun.has(message.id)).toBe(true));
    way.cut();
    const [answers] = await user([{ do: 'revoke', of: message.id, answered: 1 }]);
    expect(answers.flatMap(Object.values)).toEqual([{ ok: `tasks ${message.id} flagged as revoked` }]);
    way.mend();
    expect(await ended(message.id)).toMatchObject({ status: 'REVOKED', reason: 'terminated' });
  });
});
