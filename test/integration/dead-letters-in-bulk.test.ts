import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadLetterCauses, discardAnswer, dryRunAnswer, redriveAnswer } from '../../src/contracts/builds/operator.ts';
import { PermanentTaskError } from '../../src/domain/tasks/task-error.ts';
import { saveDeadMessage } from '../../src/store/celery/dead-message-save.ts';
import { listDeadLetters } from '../../src/store/endings/dead-letter-list.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('dead letters in bulk', () => {
  let world: World;
  let works = false;
  beforeAll(async () => {
    const handlers = {
      async semantic_search({ query }: { query: string }) {
        if (!works) {
          const type = query.startsWith('odd') ? 'OddQuery' : 'NoIndex';
          throw new PermanentTaskError({ type, message: `no ${query}` });
        }
        return { query, results: [] };
      },
    };
    world = await openWorld('server', {}, handlers as never);
    for (let n = 0; n < 5; n++) await fail(`plain-${n}`);
    for (let n = 0; n < 2; n++) await fail(`odd-${n}`);
    await world.github.fault({ on: 'dispatch', kind: 'reject-with-422', message: 'No ref found for: nowhere' });
    const { json } = await world.trigger({ ref: 'dead' });
    await world.ended(json.id);
    for (const reason of ['unknown_task', 'unknown_task', 'malformed']) await refuse(reason);
    await eventually(async () => expect((await causes()).count).toBe(11));
  });
  afterAll(() => world.close());

  async function fail(query: string) {
    const { status } = await world.call('POST', '/tasks', { name: 'semantic_search', args: [query], task_id: query });
    expect(status).toBe(202);
    await world.call('GET', `/tasks/${query}?wait=60`);
  }

  const refuse = (reason: string) =>
    saveDeadMessage(world.db, {
      ...{ id: randomUUID(), queue: 'search', reason, detail: `it is ${reason}`, task_id: null, task: 'nope' },
      ...{ publication: '{"routing_key":"search"}', body: 'e30=' },
    });

  const post = (path: string, body: object) => world.call('POST', path, body);
  const causes = async (query = '') => deadLetterCauses.parse((await world.call('GET', `/dlq/causes?${query}`)).json);
  const listed = async (query = '') =>
    (await world.call('GET', `/dlq?limit=200&${query}`)).json.dead_letters.map(
      ({ id }: { id: string }) => id,
    ) as string[];

  it('are counted by what they died of, over builds, tasks and messages, by the same filters as the list', async () => {
    const all = await causes();
    expect(all).toMatchObject({ count: 11, exact: true });
    expect(all.causes.map(({ kind, cause, count }) => [kind, cause, count])).toEqual([
      ['task', 'NoIndex', 5],
      ['message', 'unknown_task', 2],
      ['task', 'OddQuery', 2],
      ['build', 'dispatch_rejected', 1],
      ['message', 'malformed', 1],
    ]);
    expect(all.causes[0]?.reason).toMatch(/^NoIndex: no plain-/);
    for (const { kind, cause, count } of all.causes) {
      expect(await listed(`kind=${kind}&cause=${cause}`), cause).toHaveLength(count);
    }
    expect((await causes('kind=task&cause=OddQuery')).causes).toHaveLength(1);
    expect((await causes('queue=search&kind=message')).count).toBe(3);
    expect(await causes('ref=nowhere')).toEqual({ count: 0, exact: true, causes: [] });
  });

  it('are listed without arguments, results and bodies', async () => {
    const { items } = await listDeadLetters(world.db, { limit: 50 });
    const fieldsOf = (kind: string) =>
      items.flatMap((item) =>
        item.kind !== kind
          ? []
          : Object.keys(item.kind === 'task' ? item.task : item.kind === 'message' ? item.message : {}),
      );
    expect(fieldsOf('task')).toContain('name');
    for (const large of ['args', 'kwargs', 'result', 'progress']) expect(fieldsOf('task')).not.toContain(large);
    expect(fieldsOf('message')).toContain('detail');
    for (const large of ['body', 'publication']) expect(fieldsOf('message')).not.toContain(large);
    const { json } = await world.call('GET', '/dlq?kind=message');
    expect(json.dead_letters[0].message.bytes).toBe(2);
  });

  it('say in a dry run what would be redriven or discarded, and change nothing', async () => {
    const before = await listed();
    for (const path of ['/dlq/redrive', '/dlq/discard']) {
      const { status, json } = await post(path, { kind: 'task', cause: 'NoIndex', limit: 1, dry_run: true });
      expect(status).toBe(200);
      const dry = dryRunAnswer.parse(json);
      expect([dry.count, dry.exact, dry.causes.length, dry.sample.length]).toEqual([5, true, 1, 5]);
      expect(dry.sample.map(({ id }) => id)).toEqual(await listed('kind=task&cause=NoIndex'));
    }
    expect(await listed()).toEqual(before);
    const { events } = (await world.call('GET', '/dlq/task:odd-0')).json;
    expect(events.at(-1).event_type).toBe('task_dead_lettered');
  });

  it('are discarded by filter, in steps, and stay with an event that says who did', async () => {
    const first = await post('/dlq/discard', { kind: 'message', limit: 2 });
    expect(first.status).toBe(200);
    const { discarded, refused, next_cursor } = discardAnswer.parse(first.json);
    expect([discarded.length, refused]).toEqual([2, []]);
    expect(next_cursor).toEqual(expect.anything());
    const second = discardAnswer.parse((await post('/dlq/discard', { kind: 'message', cursor: next_cursor })).json);
    expect([second.discarded.length, second.next_cursor]).toEqual([1, null]);
    expect(await listed('kind=message')).toEqual([]);
    await post('/dlq/discard', { cause: 'OddQuery' });
    const { json } = await world.call('GET', '/tasks/odd-0/events');
    expect(json.at(-1)).toMatchObject({ event_type: 'dead_letter_discarded', event_data: { by: 'local' } });
    expect((await causes()).count).toBe(6);
  });

  it('are redriven by filter, and end well once the cause is gone', async () => {
    works = true;
    const { status, json } = await post('/dlq/redrive', { cause: 'NoIndex' });
    expect(status).toBe(202);
    const answer = redriveAnswer.parse(json);
    expect([answer.redriven.length, answer.refused, answer.next_cursor]).toEqual([5, [], null]);
    for (let n = 0; n < 5; n++) {
      expect((await world.call('GET', `/tasks/plain-${n}?wait=60`)).json).toMatchObject({
        status: 'SUCCESS',
        redrives: 1,
      });
    }
    expect((await causes()).causes.map(({ kind }) => kind)).toEqual(['build']);
  });

  it('are not discarded while they need a person: the answer says what to do, and the next step goes on', async () => {
    await world.db`UPDATE builds SET needs_attention = true`;
    const answer = discardAnswer.parse((await post('/dlq/discard', { kind: 'build' })).json);
    expect(answer).toMatchObject({ discarded: [], refused: [{ detail: expect.stringContaining('cancel the build') }] });
    expect((await causes()).causes[0]).toMatchObject({ cause: 'needs_attention', count: 1 });
  });

  it.each([{ dry_run: 'yes' }, { limit: 201 }, { cause: 1 }, { statsu: 'x' }, { cursor: 'nowhere' }])(
    'refuse %o',
    async (body) => {
      for (const path of ['/dlq/redrive', '/dlq/discard']) expect((await post(path, body)).status).toBe(400);
    },
  );
});
