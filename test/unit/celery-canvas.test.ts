import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/contracts/budgets.ts';
import type { PendingReply } from '../../src/contracts/celery/celery.ts';
import { followUps } from '../../src/domain/celery/celery-follow-ups.ts';
import { idOf, readTaskMessage } from '../../src/domain/celery/celery-message.ts';
import { repliesAbout, whatFollows } from '../../src/domain/celery/celery-reply.ts';
import { Refused } from '../../src/domain/celery/refused.ts';
import { delivery } from './celery-captures.ts';

const marked = (type: string, value: unknown) => ({ __type__: type, __value__: value });
const step = (options: object, more: object = {}) => ({ task: 'tasks.add', args: [1], options, ...more });
const group = (tasks: unknown[]) => ({ task: 'celery.group', subtask_type: 'group', kwargs: { tasks } });

function read(embed: object, headers: object = {}) {
  const body = JSON.stringify([[1], {}, { callbacks: null, errbacks: null, chain: null, chord: null, ...embed }]);
  return readTaskMessage(delivery({ headers: { task: 'tasks.add', id: 'parent', ...headers } }), body);
}

function refusal(embed: object, headers: object = {}) {
  try {
    read(embed, headers);
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
  return undefined;
}

const follow = (embed: object, given: { task_id?: string; succeeded?: boolean } = {}) =>
  followUps(
    {
      ...{ task_id: 'parent', root_id: null, succeeded: true, result: 3, ended_at: '2026-11-21T20:00:00.000Z' },
      ...given,
      follow_ups: read(embed).follow_ups,
    },
    () => 'search',
  );

/** What kombu 5.7 writes for options that are no JSON, and what a worker of Celery then puts into the message. */
const OPTIONS: Array<[string, object, object]> = [
  ['eta', { eta: marked('datetime', '2027-01-02T03:04:05.123456+00:00') }, { eta: '2027-01-02T03:04:05.123456+00:00' }],
  ['eta, naive', { eta: marked('datetime', '2027-01-02T03:04:05') }, { eta: '2027-01-02T03:04:05' }],
  ['eta, a date', { eta: marked('date', '2027-01-02') }, { eta: '2027-01-02' }],
  [
    'eta, an old city',
    { eta: marked('datetime', '2027-01-02T03:04:05+00:53:28') },
    { eta: '2027-01-02T03:04:05+00:53:28' },
  ],
  ['expires', { expires: marked('datetime', '2027-01-02T03:04:05+05:30') }, { expires: '2027-01-02T03:04:05+05:30' }],
  ['expires in seconds', { expires: 60 }, { expires: '2026-11-21T20:01:00.000Z' }],
  ['countdown, a decimal', { countdown: marked('decimal', '1.5') }, { eta: '2026-11-21T20:00:01.500Z' }],
  ['countdown in the past', { countdown: -60 }, { eta: '2026-11-21T19:59:00.000Z' }],
  [
    'a UUID',
    { task_id: marked('uuid', { hex: '12345678123456781234567812345678' }) },
    { id: '12345678-1234-5678-1234-567812345678' },
  ],
  ['time limits', { time_limit: marked('decimal', '100'), soft_time_limit: 30 }, { timelimit: [100, 30] }],
  ['a name for people', { shadow: 'nightly' }, { shadow: 'nightly' }],
  [
    'headers',
    { headers: { tenant: 'acme', at: marked('date', '2027-01-02') } },
    { tenant: 'acme', at: '2027-01-02', task: 'tasks.add' },
  ],
  [
    'stamps',
    { stamped_headers: ['tenant'], tenant: marked('bytes', 'acme') },
    { stamped_headers: ['tenant'], stamps: { tenant: 'acme' } },
  ],
];

describe('options of tasks that follow, as kombu writes them', () => {
  it.each(OPTIONS)('%s', (_, options, headers) => {
    const places: Array<[string, object, boolean]> = [
      ['a link', { callbacks: [step(options)] }, true],
      ['an error link', { errbacks: [step(options)] }, false],
      ['a step of a chain', { chain: [step(options)] }, true],
      ['a member of a group', { callbacks: [group([step(options)])] }, true],
    ];
    for (const [place, embed, succeeded] of places) {
      const [task, ...others] = follow(embed, { succeeded });
      expect([place, task?.headers, others]).toEqual([place, expect.objectContaining(headers), []]);
    }
    // A link of a link is read when its own message comes.
    expect(follow({ callbacks: [step({ link: [step(options)] })] })).toHaveLength(1);
  });

  it('may name an exchange with a routing key; a queue comes first', () => {
    const address = (options: object) => {
      const [task] = follow({ chain: [step(options)] });
      return [task?.exchange, task?.routing_key];
    };
    expect(address({ exchange: 'media', routing_key: 'video.new' })).toEqual(['media', 'video.new']);
    expect(address({ queue: 'q', exchange: 'media', routing_key: 'video.new' })).toEqual(['', 'q']);
    expect(address({ routing_key: 'q', reply_to: '', exchange: '' })).toEqual(['', 'q']);
  });

  it('keep what the worker of a later step understands and we do not', () => {
    const [first] = follow({ chain: [step({ serializer: 'json', custom: marked('date', '2027-01-02') }), step({})] });
    const [, , embed] = first!.body as [unknown, unknown, { chain: Array<{ options: object }> }];
    expect(embed.chain[0]?.options).toMatchObject({ serializer: 'json', custom: marked('date', '2027-01-02') });
  });

  it.each([
    ['no time', { eta: 'soon' }, 'not_a_task'],
    ['a time of day', { expires: marked('time', '03:04') }, 'not_a_task'],
    ['a type of nobody', { eta: marked('moment', 'x') }, 'not_a_task'],
    ['more seconds than Celery takes', { countdown: 1e300 }, 'not_a_task'],
    ['a queue whose name AMQP cannot carry', { queue: 'q'.repeat(256) }, 'not_a_task'],
    ['headers that no frame holds', { headers: { big: 'x'.repeat(20_000) } }, 'too_large'],
  ])('are refused before anything starts: %s', (_, options, code) => {
    for (const embed of [{ callbacks: [step(options)] }, { chain: [group([step(options)])] }])
      expect(refusal(embed)?.code).toBe(code);
  });

  it('gives tasks whose ids have spaces ids that no others have', () => {
    const linked = (task_id: string, succeeded: boolean) =>
      follow({ callbacks: [step({})], errbacks: [step({})] }, { task_id, succeeded })[0]?.task_id;
    expect(linked('x error', true)).not.toBe(linked('x', false));
  });
});

describe('ids that clients choose', () => {
  const IDS = ['video/2026/1', ' daily report ', 'prüfung', '日本語', '100%', '..', 'a\nb', 'ü'.repeat(127), 42];
  it.each(IDS)('%j', (id) => {
    expect(read({}, { id }).task_id).toBe(String(id));
    const body = JSON.stringify({ task: 'tasks.add', id });
    expect(readTaskMessage(delivery({}), body).task_id).toBe(String(id));
    expect(idOf(delivery({}), body)).toBe(String(id));
  });

  it('are refused where something on the way cannot carry them, with the reason', () => {
    expect(refusal({}, { id: 'a\u0000b' })).toMatchObject({
      code: 'not_a_task',
      detail: expect.stringMatching(/id: .*NUL/),
    });
    expect(refusal({}, { id: 'ü'.repeat(128) })).toMatchObject({ detail: expect.stringMatching(/id: .*255 bytes/) });
    expect(refusal({}, { id: '\ud800' })).toMatchObject({ code: 'not_a_task' });
  });

  it('may be empty, which is none', () => {
    expect(read({}, { id: '' }).task_id).toBeNull();
  });
});

describe('what one message makes us publish', () => {
  const long = 'x'.repeat(40_000);

  it('is reckoned with the chain that each member of a group goes on with', () => {
    const members = (count: number) => group(Array.from({ length: count }, () => step({})));
    expect(refusal({ chain: [step({}), members(1_000)] })).toBeUndefined();
    // 100 members, each followed by 100, each followed by 100: a million tasks of a message of 20 kB.
    expect(refusal({ chain: [members(100), members(100), members(100)] })).toMatchObject({
      code: 'too_large',
      detail: expect.stringMatching(/^10\d+ tasks would follow/),
    });
    // 5,000 copies of a chain of 400 kB are 2 GB.
    const chain = Array.from({ length: 10 }, () => step({}, { args: [long] }));
    expect(refusal({ chain: [...chain, members(900)] })).toMatchObject({
      code: 'too_large',
      detail: expect.stringMatching(/characters/),
    });
    expect(refusal({ callbacks: [step({ link: [members(100)], chain: [members(200), members(100)] })] })).toBeDefined();
  });

  it('is reckoned again with the result, and then fails as a whole', () => {
    const pending: PendingReply = {
      ...{ reply_to: 'me', ignore_result: false, group_id: null, root_id: null, parent_id: null },
      follow_ups: read({ callbacks: [group([1, 2].map((n) => step({ task_id: `m${n}`, reply_to: 'me' })))] })
        .follow_ups,
    };
    const ending = (result: unknown) => ({
      ...{ task_id: 'parent', ended_at: '2026-11-21T20:00:00.000Z' },
      end: { status: 'SUCCESS', result } as const,
    });
    expect(whatFollows(pending, ending('short')).tasks).toHaveLength(2);
    expect(repliesAbout(pending, ending('short'))).toHaveLength(1);
    const huge = 'x'.repeat(LIMITS.messages.followUpsCharacters / 2);
    expect(whatFollows(pending, ending(huge))).toMatchObject({ tasks: [], refusal: { code: 'too_large' } });
    expect(repliesAbout(pending, ending(huge)).map(({ result }) => [result.task_id, result.status])).toEqual([
      ['parent', 'SUCCESS'],
      ['m1', 'FAILURE'],
      ['m2', 'FAILURE'],
    ]);
  });
});
