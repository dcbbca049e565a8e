import { describe, expect, it } from 'vitest';
import { Revocations } from '../../src/bridge/revocations.ts';
import { heardControl } from '../../src/domain/celery/pidbox.ts';
import { captured } from './celery-captures.ts';

/** What Celery 5.7 sent, each with its method. */
const sent = captured('pidbox.json') as Array<{ body: { method: string }; headers: { expires: number } }>;
const heard = (body: object, headers = {}, host = 'hapax@one') =>
  heardControl(host, JSON.stringify(body), headers, 1_000);

describe("what Celery's app.control says", () => {
  it.each(sent.map(({ body, headers }) => [body.method, body, headers] as const))(
    'is heard: %s',
    (method, body, headers) => {
      expect(heardControl('hapax@one', JSON.stringify(body), headers, headers.expires - 1)).toMatchObject(body);
      expect(heardControl('hapax@one', JSON.stringify(body), headers, headers.expires + 1)).toBeUndefined();
      expect(heardControl('hapax@one', JSON.stringify(body), { ...headers, expires: 0 }, headers.expires)?.method).toBe(
        method,
      );
    },
  );

  it.each([
    ['all', {}, true],
    ['nobody by name, which is all', { destination: [] }, true],
    ['us by name', { destination: ['celery@two', 'hapax@one'] }, true],
    ['others by name', { destination: ['celery@two'] }, false],
    ['us by pattern', { pattern: 'hapax@*', matcher: 'glob' }, true],
    ['us by an inner part', { pattern: 'h*x@o*e', matcher: 'glob' }, true],
    ['others by pattern', { pattern: 'celery@*', matcher: 'glob' }, false],
    ['a name that is not longer than the pattern', { pattern: 'hapax@one*one', matcher: 'glob' }, false],
    ['whoever matches a regular expression', { pattern: '.*', matcher: 'pcre' }, false],
  ])('is heard if it is for %s', (_, to, yes) => {
    expect(heard({ method: 'ping', arguments: {}, ...to }) !== undefined).toBe(yes);
  });

  it('is nothing where it is no control message', () => {
    for (const text of ['', 'hello', '[]', '{}', '{"method":1}']) {
      expect(heardControl('hapax@one', text, {}, 0)).toBeUndefined();
    }
  });
});

describe('revocations of what has not come yet', () => {
  it('are bounded, and the newest stay', () => {
    const revocations = new Revocations();
    for (let i = 0; i < 50_010; i++) revocations.add(`task-${i}`);
    expect([revocations.has('task-9'), revocations.has('task-10'), revocations.has('task-50009')]).toEqual([
      false,
      true,
      true,
    ]);
    expect(revocations.has('other')).toBe(false);
  });
});
