import { describe, expect, it } from 'vitest';
import type { Delivery, MessageRefusal } from '../../src/contracts/celery/celery.ts';
import { AMQP_CALLER, read, refuse } from '../../src/domain/celery/reading.ts';
import { captures, deliveries, delivery } from './celery-captures.ts';

const NOW = new Date('2026-11-21T10:00:00.000Z');
const ALL = ['protocol1', 'protocol2', 'protocol2-rpc'].flatMap(captures);

const taken = (message: Delivery) => {
  const reading = read(message, NOW);
  if ('refusal' in reading) throw new Error(reading.refusal.detail);
  return reading;
};
const refused = (message: Delivery) => {
  const reading = read(message, NOW);
  if (!('refusal' in reading)) throw new Error('it was read');
  return reading;
};

describe('reading a delivery', () => {
  it.each(ALL)('of Celery, %s, gives its task and who waits, or why not and what to reply', (path) => {
    for (const { delivery: message, captured: capture } of deliveries(path)) {
      const reading = read(message, NOW);
      const { correlation_id: id, reply_to } = capture.properties;
      if ('refusal' in reading) {
        const told = reading.replies.map(({ result }) => result.task_id);
        expect(told).toEqual(reading.task_id === null ? [] : expect.arrayContaining([id]));
        expect(reading.replies.every(({ result }) => result.status === 'FAILURE')).toBe(true);
        continue;
      }
      expect(reading.task).toMatchObject({ taskId: id, caller: AMQP_CALLER, source: 'amqp' });
      expect(reading.pendingReplies.reply_to).toBe(reply_to ?? '');
    }
  });

  it('of the simple form, without an id, leaves the id open', () => {
    const { task, pendingReplies } = taken(
      delivery({ body: Buffer.from('{"task":"tasks.semantic_search","args":["a"]}') }),
    );
    expect(task).toMatchObject({ name: 'tasks.semantic_search', args: ['a'], kwargs: {}, taskId: undefined });
    expect(pendingReplies).toMatchObject({ reply_to: '', follow_ups: { callbacks: [], errbacks: [], chain: [] } });
  });

  it('brings priorities and limits into our bounds, or refuses them', () => {
    const body = (timelimit: unknown) =>
      delivery({ priority: 255, body: Buffer.from(JSON.stringify({ id: 'a', task: 't', timelimit })) });
    expect(taken(body([60, 30])).task).toMatchObject({ priority: 9, hardLimitMs: 60_000, softLimitMs: 30_000 });
    expect(refused(body([1e9, null]))).toMatchObject({ task_id: 'a', refusal: { code: 'invalid_arguments' } });
  });

  it('tells the clients of all steps that never come', () => {
    for (const { delivery: message } of deliveries('protocol2/chord.json')) {
      const { onlyBesideCelery, inPython, pendingReplies } = taken(message);
      expect(inPython.task.message?.embed).toEqual({ chord: expect.objectContaining({ task: 'tasks.echo' }) });
      expect(pendingReplies.chord).toMatchObject({ index: expect.any(Number), body: { task: 'tasks.echo' } });
      expect(onlyBesideCelery).toBeUndefined();
      const { refusal, replies } = refuse(message, { code: 'unsupported_canvas', detail: 'no' }, NOW);
      expect(refusal.code).toBe('unsupported_canvas');
      // Its own task, and the body of the chord.
      expect(replies.length).toBe(2);
      expect(new Set(replies.map(({ result }) => result.date_done))).toEqual(
        new Set(['2026-11-21T10:00:00.000000+00:00']),
      );
    }
  });

  it('keeps for a worker in Python what only that can read', () => {
    const marked = { __type__: 'decimal', __value__: '1.5' };
    const errbacks = [{ task: 'tasks.on_error', args: [], kwargs: {}, options: {} }];
    const body = [[marked], { a: marked }, { callbacks: null, errbacks, chain: null, chord: null }];
    const { task, pendingReplies, inPython } = taken(
      delivery({
        ...{ queue: 'mine', reply_to: 'q', body: Buffer.from(JSON.stringify(body)) },
        headers: { task: 'tasks.add', id: 'a', lang: 'py', retries: 0, group: null, shadow: 'b', tenant: 'acme' },
      }),
    );
    expect(task).toMatchObject({ args: ['1.5'], kwargs: { a: '1.5' } });
    expect(task).not.toHaveProperty('message');
    expect(pendingReplies.follow_ups.errbacks).toHaveLength(1);
    expect(inPython.task).toMatchObject({
      ...{ name: 'tasks.add', taskId: 'a', queue: 'mine', args: [marked], kwargs: { a: marked } },
      message: { headers: { shadow: 'b', tenant: 'acme' }, reply_to: 'q', embed: { errbacks } },
    });
    expect(inPython.pendingReplies.follow_ups.errbacks).toEqual([]);
  });

  const groupOf = (member: object) => ({ task: 'celery.group', subtask_type: 'group', kwargs: { tasks: [member] } });
  it.each<[string, object]>([
    ['a group without members', { task: 'celery.group', subtask_type: 'group' }],
    ['a chord without a body', { task: 'celery.chord', subtask_type: 'chord' }],
    ['an impossible priority', groupOf({ task: 't', options: { priority: -1 } })],
    ['an id that is too long', groupOf({ task: 't', options: { task_id: 'i'.repeat(300) } })],
    ['a name that is too long', groupOf({ task: 'n'.repeat(1_000) })],
  ])('refuses %s in a chain, and tells the clients of its other steps', (_, step) => {
    const steps = [{ task: 't', options: { task_id: 'last', reply_to: 'q' } }, step];
    const message = delivery({
      headers: { task: 't', id: 'a', lang: 'py' },
      body: Buffer.from(JSON.stringify([[], {}, { chain: steps }])),
    });
    const { refusal, replies } = refused(message);
    expect(refusal.code).toBe('not_a_task');
    expect(replies.map(({ result }) => result.task_id)).toEqual(['a', 'last']);
  });

  it('refuses a message whose task has no text for a name', () => {
    const message = delivery({ headers: { task: { toString: 'x' }, id: 'a' }, body: Buffer.from('[[],{}]') });
    expect(refused(message)).toMatchObject({ refusal: { code: 'not_a_task' }, task_id: 'a', name: null });
  });

  it('tells nobody about a task that another request made under this id', () => {
    const message = delivery({ reply_to: 'q', body: Buffer.from('{"id":"a","task":"t"}') });
    const detail = 'task a was already requested with other content';
    expect(refuse(message, { code: 'task_id_reused', detail }, NOW)).toMatchObject({ task_id: 'a', replies: [] });
    expect(refuse(message, { code: 'unknown_task', detail }, NOW).replies).toMatchObject([{ reply_to: 'q' }]);
  });

  it('counts a refused member in its chord, which tells the clients of the body', () => {
    const { delivery: message } = deliveries('protocol2/chord.json')[0]!;
    const { replies, never } = refuse(message, { code: 'invalid_arguments', detail: 'no' }, NOW);
    const { group, group_index, id } = message.headers;
    expect(replies.map(({ result }) => result.task_id)).toEqual([id]);
    const chord = { group_id: group, index: group_index, body: { task: 'tasks.echo' } };
    expect(never).toMatchObject({ tasks: [{ task_id: id, chord }], end: { status: 'FAILURE' } });
  });

  it('calls the error links of a message whose arguments do not fit, as they would if the task had begun', () => {
    const { delivery: message } = deliveries('protocol2/link-and-errback.json')[0]!;
    const linksOf = (code: MessageRefusal['code']) => refuse(message, { code, detail: 'no' }, NOW).errbacks;
    expect(linksOf('invalid_arguments').map(({ task }) => task)).toEqual(['tasks.on_error']);
    expect(linksOf('unknown_task')).toEqual([]);
  });

  it('says which replaced task waits for a message that is refused', () => {
    const message = delivery({ headers: { task: 't', id: 'a', replaced_task_nesting: 1 }, body: Buffer.from('[]') });
    const { never } = refuse(message, { code: 'unknown_task', detail: 'no' }, NOW);
    expect(never).toMatchObject({ tasks: [{ task_id: 'a', replaces: 1 }], end: { status: 'FAILURE' } });
  });
});
