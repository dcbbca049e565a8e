import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { instant, later } from '../../src/cli/client/command.ts';
import { keepKey } from '../../src/cli/client/kept-key.ts';
import { readProfiles, writeProfiles } from '../../src/cli/client/profiles.ts';
import { findTarget } from '../../src/cli/client/target.ts';
import { wordsOf } from '../../src/cli/output/build-words.ts';
import { span } from '../../src/cli/output/moments.ts';
import { cut, pad, printable, widthOf } from '../../src/cli/output/screen.ts';
import { table } from '../../src/cli/output/table.ts';
import { resultLines } from '../../src/cli/wait-task.ts';
import { BUILD_EVENT_TYPES } from '../../src/contracts/builds/event.ts';
import { TASK_EVENT_TYPES } from '../../src/contracts/tasks/task-event.ts';

let home: string;
let environment: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hapax-cli-'));
  environment = { HOME: home, HAPAX_HOME: join(home, 'hapax') };
  return () => rmSync(home, { recursive: true, force: true });
});

describe('text from elsewhere', () => {
  it('cannot steer the terminal: control characters and turned text show as marks, our styles stay', () => {
    expect(printable('a\u001b[2Jb\u001b]0;title\u0007c\r\n\u009b1mx\u202ey')).toBe(
      'a\ufffd[2Jb\ufffd]0;title\ufffdc\ufffd\ufffd\ufffd1mx\ufffdy',
    );
    expect(printable('\u001b[32mgood\u001b[39m\u001b[8mhidden')).toBe('\u001b[32mgood\u001b[39m\ufffd[8mhidden');
  });

  it('takes as many columns as a terminal gives it, and is cut to them', () => {
    expect([widthOf('日本'), widthOf('e\u0301'), widthOf('🚀'), widthOf('\u001b[1mab\u001b[22m')]).toEqual([
      4, 1, 2, 2,
    ]);
    expect(cut('日本語', 5)).toBe('日本…');
    expect(cut('\u001b[1mabcdef\u001b[22m', 4)).toBe('\u001b[1mabc…\u001b[0m');
    expect(cut('abcd', 4)).toBe('abcd');
    expect(widthOf(pad('日本', 6))).toBe(6);
  });

  it('of every event type is told, even where its data is that of another version', () => {
    for (const event_type of [...BUILD_EVENT_TYPES, ...TASK_EVENT_TYPES, 'something_new']) {
      const { text } = wordsOf({ event_type, event_data: {} } as never);
      expect(text, event_type).toMatch(/\S/);
    }
  });

  it('of several lines keeps them as the result of a task, and is one line elsewhere', () => {
    const task_error = { type: 'ValueError', message: 'two faults:\r\n\tfirst\n\tsecond' };
    const task = {
      status: 'FAILURE',
      reason: 'it failed\nthree times',
      error: { ...task_error, traceback: 'at\n\tx' },
    };
    expect(resultLines(task as never)).toEqual([
      'reason: it failed',
      'three times',
      'ValueError: two faults:',
      '  first',
      '  second',
      'at',
      '  x',
    ]);
    const event = { event_type: 'task_failed', event_data: { error: task_error } };
    expect(wordsOf(event as never).detail).toBe('ValueError: two faults: first second');
    expect(table([{ title: 'ERROR' }, { title: 'TASK' }], [['a\r\n\tb', 'c']])).toEqual(['ERROR  TASK', 'a b    c']);
  });

  it('says how long in one or two units', () => {
    expect([4_000, 192_000, 18_000_000, 2 * 86_400_000].map(span)).toEqual(['4s', '3m12s', '5h00m', '2d']);
  });
});

describe('a time that a person gives', () => {
  const readings = [instant, (text: string) => later(text)(new Date(0))];

  it.each([
    ['2026-11-21T10:00:00Z', '2026-11-21T10:00:00.000Z'],
    ['2026-11-21T10:00:00.123456+01:00', '2026-11-21T09:00:00.123Z'],
    ['2026-11-21T10:00-0530', '2026-11-21T15:30:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    // Without an offset, it is a time where the person is.
    ['2026-11-21T10:00', new Date(2026, 10, 21, 10).toISOString()],
    ['2026-11-21 10:00:30', new Date(2026, 10, 21, 10, 0, 30).toISOString()],
  ])('is read where it is ISO 8601: %s', (text, read) => {
    for (const reading of readings) expect(reading(text)).toBe(read);
  });

  it.each([
    '10',
    '30',
    '45',
    '60',
    '2026',
    '2026-02-30',
    '2026-02-29T10:00Z',
    '2026-13-01',
    '2026-11-21T25:00Z',
    '1/2/26',
    '',
  ])('is refused where it is not: %s', (text) => {
    for (const reading of readings) expect(() => reading(text)).toThrow(/It is a time such as/);
  });

  it('may be relative to now, or to when the command was given', () => {
    expect(later('90s')(new Date(0))).toBe('1970-01-01T00:01:30.000Z');
    const before = Date.now();
    const ago = Date.parse(instant('7d')) + 7 * 86_400_000;
    expect(ago).toBeGreaterThanOrEqual(before);
    expect(ago).toBeLessThanOrEqual(Date.now());
  });
});

describe('the key of a request', () => {
  const files = () => readdirSync(join(home, '.local/state/hapax/requests'));

  it('is the same until the response came, and another one after that', () => {
    const first = keepKey({ ref: 'main' }, environment);
    expect(first.isRepeated).toBe(false);
    const again = keepKey({ ref: 'main' }, environment);
    expect(again).toMatchObject({ key: first.key, since: first.since, isRepeated: true });
    expect(keepKey({ ref: 'dev' }, environment).key).not.toBe(first.key);
    again.drop();
    expect(keepKey({ ref: 'main' }, environment).key).not.toBe(first.key);
  });

  it('stays with the command that took it over, when the one that made it is answered', () => {
    const first = keepKey('r', environment);
    const second = keepKey('r', environment);
    first.drop();
    expect(keepKey('r', environment).key).toBe(second.key);
  });

  it('is forgotten after a day, or if another build is asked for', () => {
    const first = keepKey('r', environment);
    const [file = ''] = files();
    const old = { key: first.key, since: new Date(Date.now() - 25 * 3_600_000).toISOString(), holder: 'x' };
    writeFileSync(join(home, '.local/state/hapax/requests', file), JSON.stringify(old));
    const second = keepKey('r', environment);
    expect(second.key).not.toBe(first.key);
    expect(keepKey('r', environment, { fresh: true }).key).not.toBe(second.key);
    expect(files()).toHaveLength(1);
  });

  it('is one for all that begin at once', async () => {
    const module = new URL('../../src/cli/client/kept-key.ts', import.meta.url).href;
    const program = `const { keepKey } = await import(${JSON.stringify(module)}); console.log(keepKey('r', process.env).key)`;
    const begun = Array.from({ length: 8 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env: environment }),
    );
    const keys = (await Promise.all(begun)).map(({ stdout }) => stdout);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^hapax-cli-/);
    expect(files()).toHaveLength(1);
  });
});

describe('the server that a command speaks to', () => {
  const found = (options: object = {}, more: Record<string, string> = {}) =>
    findTarget(options, { ...environment, ...more });
  /** Writes what a `hapax up` announces in its home. */
  const announce = (owner: object, mode = 0o600) => {
    const file = join(home, 'hapax/owner.json');
    mkdirSync(join(home, 'hapax'), { recursive: true });
    writeFileSync(file, JSON.stringify({ pid: process.pid, url: 'http://127.0.0.1:8999', ...owner }));
    chmodSync(file, mode);
  };

  it('is named by an option, the environment, a profile, a running hapax up, or is the default', () => {
    expect(found().url).toBe('http://127.0.0.1:8000');
    expect(found({}, { PORT: '8123' }).url).toBe('http://127.0.0.1:8123');
    announce({ pid: process.pid });
    expect(found().url).toBe('http://127.0.0.1:8999');
    // Killed: no process has this number.
    announce({ pid: 2 ** 22 + 1 });
    expect(found().url).toBe('http://127.0.0.1:8000');
    writeProfiles(
      { default: 'prod', profiles: { prod: { url: 'https://hapax.example', key: 'prod-key' } } },
      environment,
    );
    expect(found()).toMatchObject({ url: 'https://hapax.example', key: 'prod-key' });
    expect(found({}, { HAPAX_URL: 'https://other.example/base/', HAPAX_API_KEY: 'k' })).toMatchObject({
      url: 'https://other.example/base',
      key: 'k',
    });
    // The key of a profile never goes to another server, nor another key to the server of a profile.
    expect(found({ url: 'https://third.example' }).key).toBeUndefined();
    expect(found({ profile: 'prod' }, { HAPAX_URL: 'https://other.example', HAPAX_API_KEY: 'k' }).key).toBe('prod-key');
  });

  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  const own = (addresses.find(({ internal }) => !internal) ?? addresses[0]!).address;
  it.each([
    ['http://127.0.0.1:8999', true],
    ['http://[::1]:8999', true],
    ['http://0.0.0.0:8999', true],
    [`http://${own.includes(':') ? `[${own}]` : own}:8999`, true],
    ['https://evil.example', false],
    ['http://203.0.113.7:8999', false],
    ['http://127.0.0.1.evil.example', false],
    ['http://127.0.0.1@evil.example', false],
    ['javascript:1', false],
  ])('is the one of HAPAX_HOME only if it is on this machine: %s', (url, isTaken) => {
    announce({ url });
    expect(found({}, { HAPAX_API_KEY: 'secret' }).url).toBe(isTaken ? url : 'http://127.0.0.1:8000');
  });

  it.skipIf(process.platform === 'win32')('is not what another wrote, as the files of a checkout are', () => {
    announce({}, 0o644);
    expect(found().url).toBe('http://127.0.0.1:8000');
    for (const pid of [0, 1, -1, '2']) {
      announce({ pid });
      expect(found().url).toBe('http://127.0.0.1:8000');
    }
    announce({});
    expect(found().url).toBe('http://127.0.0.1:8999');
  });

  it('is never one that cannot be meant', () => {
    for (const url of ['127.0.0.1:8000', 'file:///etc/passwd', 'http://user:pass@host'])
      expect(() => found({ url })).toThrow(/--url/);
    expect(() => found({ url: 'http://a', profile: 'b' })).toThrow(/two servers/);
    expect(() => found({ profile: 'none' })).toThrow(/no profile "none"/);
  });

  it('has its key in a file that others cannot read', () => {
    writeProfiles({ profiles: { a: { url: 'https://a.example' } } }, environment);
    expect(readProfiles(environment).profiles).toEqual({ a: { url: 'https://a.example' } });
    const file = join(home, '.config/hapax/profiles.json');
    chmodSync(file, 0o644);
    expect(() => readProfiles(environment)).toThrow(/chmod 600/);
  });
});
