import { describe, expect, it } from 'vitest';
import { type ChordPart, type PendingReply, signature } from '../../src/contracts/celery/celery.ts';
import { endsOfFailedChord, join, type KeptChord, whatFollowsChord } from '../../src/domain/celery/celery-chord.ts';
import { REVOKED } from '../../src/domain/celery/celery-result.ts';
import { repr, reprOfException } from '../../src/domain/celery/python-repr.ts';

const GROUP = '9ef0b611-ae12-406d-bdfa-517da467930f';
const part = (task_id: string, index: number | null, end: unknown): ChordPart => {
  const boom = { exc_type: 'ValueError', exc_message: ['boom'], exc_module: 'builtins' };
  const failed = { status: 'FAILURE', exception: boom } as const;
  return { task_id, index, end: end === 'fails' ? failed : { status: 'SUCCESS', result: end } };
};
const body = (options: object, more: object = {}) =>
  signature.parse({ task: 'tasks.total', args: [], options: { task_id: 'body', ...options }, ...more });
const pending: PendingReply = {
  ...{ reply_to: '', ignore_result: false, group_id: GROUP, root_id: 'root', parent_id: null },
  follow_ups: { callbacks: [], errbacks: [], chain: [] },
};
const last = { pending, ending: { task_id: 'last', ended_at: '2026-11-21T20:00:00.000Z' } };
const follow = (of: ReturnType<typeof body>, joined: ReturnType<typeof join>, python?: string) =>
  whatFollowsChord({ group_id: GROUP, body: of }, joined, last, (task) => (task.startsWith('hapax.') ? python : 'q'))
    .tasks;

describe('a chord whose members have ended', () => {
  it('has their results in the order of the members, whatever order they ended in', () => {
    expect(join([part('b', 1, 2), part('c', null, 3), part('a', 0, 1)], null)).toEqual({ results: [1, 2, 3] });
    expect(join([part('z', 0, 2), part('y', 0, 1)], null)).toEqual({ results: [1, 2] });
  });

  it('keeps the tree of a header that has one', () => {
    const leaf = (id: string) => [[id, null], null];
    const header = [
      ['group', null],
      [
        [
          ['inner', null],
          [leaf('a'), leaf('b')],
        ],
        leaf('c'),
      ],
    ] as KeptChord['header'];
    const parts = [part('c', 1, 3), part('a', 0, 1), part('b', 1, 2)];
    expect(join(parts, header)).toEqual({ results: [[1, 2], 3] });
  });

  it('is failed by the first member, in their order, that did not succeed', () => {
    const joined = join([part('c', 2, 'fails'), part('b', 1, 'fails'), part('a', 0, 1)], null);
    expect(joined).toMatchObject({ failed: { task_id: 'b' } });
    const [never] = endsOfFailedChord(body({}), (joined as Extract<typeof joined, { failed: unknown }>).failed);
    expect(never).toMatchObject({
      tasks: [{ task_id: 'body' }],
      end: { exception: { exc_type: 'ChordError', exc_message: ["Dependency b raised ValueError('boom')"] } },
    });
  });

  it('is followed by its body, with the results', () => {
    const [task] = follow(body({}), { results: [1, 2] });
    expect(task).toMatchObject({ task_id: 'body', routing_key: 'q', body: [[[1, 2]], {}, { chord: null }] });
    expect(task!.headers).toMatchObject({ parent_id: 'last', root_id: 'root', group: null });
  });

  it('leaves a body that only Celery can unfold to Celery', () => {
    const [task] = follow(body({}, { task: 'celery.chain', subtask_type: 'chain' }), { results: [1] }, 'python');
    expect(task).toMatchObject({ routing_key: 'python', headers: { task: 'hapax.publish' } });
    expect(task!.body).toMatchObject([[], { args: [[1]], parent_id: 'last', root_id: 'root' }, {}]);
  });

  it('leaves error links to Celery where a worker of it is known, and asks for them by the id otherwise', () => {
    const joined = join([part('a', 0, 'fails')], null);
    const linked = body({ link_error: [{ task: 'tasks.on_error', options: { task_id: 'link' } }] });
    expect(follow(body({}), joined, 'python')).toEqual([]);
    expect(follow(linked, joined, 'python')).toMatchObject([
      { routing_key: 'python', headers: { task: 'hapax.fail_chord' } },
    ]);
    expect(follow(linked, joined)).toMatchObject([{ task_id: 'link', body: [['body'], {}, {}] }]);
    const revoked = { ...part('a', 0, 'fails'), end: { status: 'REVOKED', exception: REVOKED } } as const;
    expect(follow(linked, join([revoked], null))).toMatchObject([{ task_id: 'link' }]);
  });
});

describe('what Python writes of', () => {
  it.each([
    [null, 'None'],
    [[true, 1.5, 'a'], "[True, 1.5, 'a']"],
    [{ a: [] }, "{'a': []}"],
    ["it's", '"it\'s"'],
    ['it\'s "so"\n\\', "'it\\'s \"so\"\\n\\\\'"],
    ['\u0001é', "'\\x01é'"],
  ])('%j', (value, text) => {
    expect(repr(value)).toBe(text);
  });

  it('an exception', () => {
    const odd = { exc_type: 'Odd', exc_message: ['odd', 2], exc_module: 'features' };
    expect(reprOfException(odd)).toBe("Odd('odd', 2)");
  });
});
