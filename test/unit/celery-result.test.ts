import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery, FollowUps, OutgoingTask } from '../../src/contracts/celery/celery.ts';
import { type EndedTask, followUps } from '../../src/domain/celery/celery-follow-ups.ts';
import { readTaskMessage } from '../../src/domain/celery/celery-message.ts';
import { pendingReplyFor, whatFollows } from '../../src/domain/celery/celery-reply.ts';
import { celeryResult, type Outcome, REVOKED } from '../../src/domain/celery/celery-result.ts';
import { bodyText } from '../../src/domain/celery/message-body.ts';
import { captured, deliveries, delivery } from './celery-captures.ts';

const read = (message: Delivery) => readTaskMessage(message, bodyText(message));

describe('a result', () => {
  const base: Outcome = {
    task_id: 'a',
    ended_at: '2026-11-21T20:35:30.424Z',
    group_id: null,
    parent_id: null,
    children: [],
    end: { status: 'SUCCESS', result: null },
  };
  /** Celery's own, and the outcome it tells. */
  const own: Array<[string, Record<string, unknown>]> = [
    ...[
      'redis-success',
      'redis-success-null',
      'redis-success-dict',
      'redis-failure-builtin',
      'redis-failure-custom',
      'redis-unregistered',
    ].map((name): [string, Record<string, unknown>] => [name, captured(`results/${name}.json`).parsed.at(-1)]),
    ...['rpc-success', 'rpc-failure-builtin', 'rpc-unregistered'].map((name): [string, Record<string, unknown>] => [
      name,
      captured(`results/${name}.json`).messages.at(-1).body,
    ]),
    ['a step of a chain', captured('results/redis-chain-meta.json').child_then_parent[0]],
    ['the task before it', captured('results/redis-chain-meta.json').child_then_parent[1]],
    ['a member of a group', captured('results/redis-group-meta.json').members[0]],
  ];

  it.each(own)("%s is written as Celery's worker writes it", (_, theirs) => {
    const children = theirs.children as [[string, null], null][];
    const ours = celeryResult({
      task_id: String(theirs.task_id),
      ended_at: String(theirs.date_done),
      group_id: (theirs.group_id as string) ?? null,
      parent_id: (theirs.parent_id as string) ?? null,
      children: children.map(([[id]]) => id),
      end:
        theirs.status === 'SUCCESS'
          ? { status: 'SUCCESS', result: theirs.result }
          : { status: 'FAILURE', exception: theirs.result as typeof REVOKED },
    });
    // We have milliseconds and no Python stack.
    const date_done = `${String(theirs.date_done).slice(0, 23)}000+00:00`;
    expect(JSON.stringify(ours)).toBe(JSON.stringify({ ...theirs, date_done, traceback: null }));
  });

  it('of a stopped task raises TaskRevokedError', () => {
    expect(celeryResult({ ...base, end: { status: 'REVOKED', exception: REVOKED } })).toMatchObject({
      status: 'REVOKED',
      result: { exc_type: 'TaskRevokedError', exc_message: ['revoked'], exc_module: 'celery.exceptions' },
    });
  });
});

describe('what follows a task', () => {
  const routeOf = (task: string) => (task === 'tasks.add' ? 'search' : 'celery');
  const none: FollowUps = { callbacks: [], errbacks: [], chain: [] };
  const ended = (given: Partial<EndedTask>): EndedTask => ({
    task_id: 'parent',
    root_id: 'root',
    follow_ups: none,
    succeeded: true,
    result: 3,
    ended_at: '2026-11-21T20:00:00.000Z',
    ...given,
  });
  const following = (path: string, given: Partial<EndedTask> = {}) => {
    const { task_id, root_id, follow_ups } = read(deliveries(path)[0]!.delivery);
    return followUps(ended({ task_id: task_id!, root_id, follow_ups, ...given }), routeOf);
  };
  /** As the broker would deliver it. */
  const arrived = ({ headers, body, reply_to, priority, routing_key }: OutgoingTask) =>
    read(delivery({ queue: routing_key, headers, reply_to, priority, body: Buffer.from(JSON.stringify(body)) }));

  it.each(['protocol1', 'protocol2'])(
    '%s: a chain goes on step by step, each with the result before it',
    (protocol) => {
      const [second, ...others] = following(`${protocol}/chain.json`);
      expect(others).toEqual([]);
      expect(second).toMatchObject({ routing_key: 'capq', body: [[3, 3], {}, expect.anything()] });
      const step = arrived(second!);
      expect(step).toMatchObject({ task: 'tasks.add', args: [3, 3], parent_id: expect.any(String) });
      const [third, ...none] = followUps(
        ended({ task_id: step.task_id!, root_id: step.root_id, follow_ups: step.follow_ups, result: { six: 6 } }),
        routeOf,
      );
      expect(none).toEqual([]);
      const last = arrived(third!);
      expect(last).toMatchObject({
        task: 'tasks.echo',
        args: [{ six: 6 }],
        kwargs: { k: 'v' },
        parent_id: step.task_id,
      });
      expect(last.root_id).toBe(step.root_id);
      expect(followUps(ended({ task_id: last.task_id!, follow_ups: last.follow_ups }), routeOf)).toEqual([]);
      const message = deliveries(`${protocol}/chain.json`)[0]!.captured.body;
      const ids =
        protocol === 'protocol2'
          ? message[2].chain.map((s: { options: { task_id: string } }) => s.options.task_id).reverse()
          : [message.callbacks[0].options.task_id, message.callbacks[0].options.link[0].options.task_id];
      expect([step.task_id, last.task_id]).toEqual(ids);
    },
  );

  it.each(['protocol1', 'protocol2'])('%s: links take the result unless they are immutable', (protocol) => {
    const links = following(`${protocol}/link-and-errback.json`, { result: { ok: true } });
    expect(links.map((link) => [arrived(link).args, link.routing_key])).toEqual([
      [[{ ok: true }, 10], 'search'],
      [['immutable'], 'celery'],
    ]);
    expect(new Set(links.map(({ task_id }) => task_id)).size).toBe(2);
    expect(following(`${protocol}/link-and-errback.json`, { result: { ok: true } })).toEqual(links);
  });

  it.each(['protocol1', 'protocol2'])('%s: error links take the id of the task that failed', (protocol) => {
    const [only, ...others] = following(`${protocol}/link-and-errback.json`, { task_id: 'failed', succeeded: false });
    expect(others).toEqual([]);
    expect(arrived(only!)).toMatchObject({ task: 'tasks.on_error', args: ['failed'], parent_id: 'failed' });
    expect(following(`${protocol}/chain.json`, { succeeded: false })).toEqual([]);
  });

  it('is no error link of a task that was revoked or has expired: Celery calls them after a failure alone', () => {
    const pending = pendingReplyFor(read(deliveries('protocol2/link-and-errback.json')[0]!.delivery));
    const followingEnd = (status: 'FAILURE' | 'REVOKED') =>
      whatFollows(pending, { task_id: 'a', ended_at: '2026-11-21T20:00:00.000Z', end: { status, exception: REVOKED } });
    expect(followingEnd('FAILURE').tasks.map(({ headers }) => headers.task)).toEqual(['tasks.on_error']);
    expect(followingEnd('REVOKED').tasks).toEqual([]);
  });

  it('is each member of a group', () => {
    const member = (id: string) => ({ task: 'tasks.add', args: [1], options: { task_id: id } });
    const body = {
      task: 'tasks.a',
      id: 'x',
      callbacks: [
        {
          task: 'celery.group',
          kwargs: { tasks: [member('m0'), member('m1')] },
          subtask_type: 'group',
          options: { task_id: 'g' },
        },
      ],
    };
    const { follow_ups } = read(delivery({ body: Buffer.from(JSON.stringify(body)) }));
    const members = followUps(ended({ follow_ups }), routeOf);
    expect(members.map(({ task_id, headers }) => [task_id, headers.group, headers.group_index])).toEqual([
      ['m0', 'g', 0],
      ['m1', 'g', 1],
    ]);
    expect(members.map((m) => arrived(m).args)).toEqual([
      [3, 1],
      [3, 1],
    ]);
  });

  it('arrives as it was signed, whatever it was', () => {
    const name = fc.constantFrom('tasks.add', 'tasks.echo');
    const step = fc.record({
      task: name,
      args: fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 }),
      kwargs: fc.dictionary(fc.constantFrom('a', 'b'), fc.integer()),
      immutable: fc.boolean(),
    });
    // A message with this member is refused (celery-message.test.ts).
    const anyResult = fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), anyResult, (steps, value) => {
        const result = JSON.parse(JSON.stringify(value));
        const body = [[], {}, { chain: [...steps].reverse() }];
        let task = read(delivery({ headers: { task: 't', id: 'x' }, body: Buffer.from(JSON.stringify(body)) }));
        for (const signed of steps) {
          const [next, ...others] = followUps(
            ended({ task_id: task.task_id!, follow_ups: task.follow_ups, result }),
            routeOf,
          );
          expect(others).toEqual([]);
          const { __type__: _, ...kwargs } = signed.kwargs as Record<string, unknown>;
          task = arrived(next!);
          expect(task).toMatchObject({ task: signed.task, kwargs });
          expect(task.args).toEqual(signed.immutable ? signed.args : [result, ...signed.args]);
        }
        expect(followUps(ended({ follow_ups: task.follow_ups }), routeOf)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
