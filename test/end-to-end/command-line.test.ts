import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startAnotherApi } from '../world/another-api.ts';
import { type Person, person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { standBefore } from '../world/stand-before.ts';
import { hasTerminal, inTerminal } from '../world/terminal.ts';
import { openWorld, type World } from '../world/world.ts';

let world: World;
let me: Person;
beforeAll(async () => {
  world = await openWorld('server');
});
afterAll(() => world.close());
beforeEach(() => {
  me = person({ HAPAX_URL: world.url });
  return me.remove;
});

let n = 0;
const newRef = () => `cli-${process.pid}-${++n}`;
const hapax = (...args: string[]) => me.hapax(args);

const standIn = (decide: Parameters<typeof standBefore>[1]) => standBefore(world.url, decide);

describe('hapax trigger', () => {
  it('makes a build, a new one each time, and says so to programs', async () => {
    const ref = newRef();
    const first = await hapax('trigger', '--ref', ref, '-f', 'image=ü "x"', '--json');
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.json).toEqual({
      id: expect.any(Number),
      status: 'queued',
      message: 'Build queued successfully',
      replayed: false,
      url: `${world.url}/builds/${first.json.id}`,
    });
    const second = await hapax('trigger', '--ref', ref, '-f', 'image=ü "x"', '--json');
    expect(second.json.id).toBeGreaterThan(first.json.id);
    expect(await world.ended(first.json.id)).toMatchObject({ ref, inputs: { image: 'ü "x"' }, status: 'success' });
    expect(readdirSync(join(me.home, 'state/hapax/requests'))).toEqual([]);
  });

  it('that was killed before the response came is the same build when it is run again', async () => {
    const ref = newRef();
    let arrived = 0;
    const url = await standIn(() => (arrived++ === 0 ? 'hold' : 'pass'));
    const args = ['trigger', '--ref', ref, '-f', 'b=2', '-f', 'a=1', '--url', url];
    const killed = me.start(args);
    await eventually(async () => expect((await world.call('GET', `/builds?ref=${ref}`)).json.builds).toHaveLength(1));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const kept = readdirSync(join(me.home, 'state/hapax/requests'));
    expect(kept).toHaveLength(1);
    expect(statSync(join(me.home, 'state/hapax/requests', kept[0]!)).mode & 0o077).toBe(0);

    const again = await hapax('trigger', '--ref', ref, '-f', 'a=1', '-f', 'b=2', '--url', url, '--json');
    expect(again).toMatchObject({ code: 0, json: { message: 'Build already exists', replayed: true } });
    expect(again.stderr).toMatch(/the same command of .* got no response; asking for its build/);
    expect((await world.call('GET', `/builds?ref=${ref}`)).json.builds).toMatchObject([{ id: again.json.id }]);
    // Its response has come, so whoever runs it once more wants another build.
    expect((await hapax('trigger', '--ref', ref, '-f', 'a=1', '-f', 'b=2', '--url', url, '--json')).json).toMatchObject(
      {
        replayed: false,
      },
    );
  });

  it('asks again itself where responses are lost, and makes one build', async () => {
    const ref = newRef();
    let arrived = 0;
    const url = await standIn(() => (['break', 502, 'pass'] as const)[arrived++] ?? 'pass');
    const { code, json } = await hapax('trigger', '--ref', ref, '--url', url, '--json');
    expect([code, json.replayed]).toEqual([0, true]);
    expect((await world.call('GET', `/builds?ref=${ref}`)).json.builds).toHaveLength(1);
  });

  it('takes a key of the caller, which stands for one build for ever', async () => {
    const args = ['trigger', '--ref', newRef(), '--idempotency-key', `ci-${newRef()}`, '--json'];
    const [first, second] = [await hapax(...args), await hapax(...args)];
    expect(second.json).toMatchObject({ id: first.json.id, replayed: true });
    const other = await hapax('trigger', '--ref', newRef(), ...args.slice(3));
    expect([other.code, JSON.parse(other.stderr).error.code]).toEqual([2, 'idempotency_key_reused']);
  });
});

describe('hapax watch', () => {
  it('prints a line for each event where there is no terminal, and nothing that draws', async () => {
    const { code, stdout, stderr } = await hapax('trigger', '--ref', newRef(), '--watch');
    expect([code, stderr]).toEqual([0, '']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none.
    expect(stdout).not.toMatch(/[\u001b\r]/);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z build \d+ queued: acme\/images build\.yml cli-/);
    expect(lines.at(-2)).toMatch(/^build \d+: success in \d+s$/);
    expect(lines.at(-1)).toMatch(/^ {2}http:/);
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('goes on through a server that is away, and misses and repeats nothing', async () => {
    const ref = newRef();
    let [streams, away] = [0, 2];
    const url = await standIn((path) => {
      if (!path.endsWith('/events')) return 'pass';
      streams += 1;
      return streams === 1 || away-- <= 0 ? 'pass' : 502;
    });
    const { json } = await world.trigger({ ref, inputs: { simulate: 'stuck' } });
    const watching = me.hapax(['watch', String(json.id), '--url', url, '--json']);
    const run = await eventually(async () => {
      const { workflow_run_id } = await world.build(json.id);
      if (workflow_run_id === null || streams === 0) throw new Error('no run yet');
      return workflow_run_id;
    });
    await world.github.force(run, 'completed', 'success');
    const { code, json: lines } = await watching;
    const events = lines.filter(({ kind }: { kind: string }) => kind === 'event');
    expect(code).toBe(0);
    expect(events.map(({ event }: { event: { seq: number } }) => event.seq)).toEqual(
      events.map((_: unknown, at: number) => at + 1),
    );
    expect(lines.at(-1)).toMatchObject({ kind: 'build', build: { id: json.id, status: 'success' } });
  });

  it('ends with 130 at Ctrl-C, and the build goes on', async () => {
    const { json } = await world.trigger({ ref: newRef(), inputs: { simulate: 'stuck' } });
    const watching = me.start(['watch', String(json.id)]);
    const said = text(watching.stderr!);
    await once(watching.stdout!, 'data');
    watching.kill('SIGINT');
    expect(await once(watching, 'exit')).toEqual([130, null]);
    expect(await said).toContain(`build ${json.id} goes on`);
    await hapax('cancel', String(json.id));
  });

  it('shows it all on one screen of 80 columns, redrawn and never wrapped', { skip: !hasTerminal }, async () => {
    await world.github.set({ running_for_ms: 1_500 });
    onTestFinished(async () => void (await world.github.set({ running_for_ms: 60 })));
    const ref = `feature/${'very-'.repeat(14)}${newRef()}`;
    const { code, lines, wrapped, written } = await inTerminal(me, ['trigger', '--ref', ref, '--watch']);
    expect([code, wrapped]).toEqual([0, false]);
    expect(lines.length).toBeLessThan(24);
    expect(lines[0]).toMatch(/^build \d+ {2}feature\/very-/);
    expect(lines.filter((line) => / queued {2}acme/.test(line))).toHaveLength(1);
    expect(lines.at(-3)).toMatch(/^build \d+: success in \d+s$/);
    expect(written).toContain('\u001b[32msuccess\u001b[39m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about control characters.
    expect(written.match(/\u001b\[\d+A/g)!.length).toBeGreaterThan(3);
  });

  it('writes no colour with NO_COLOR, and does not draw on a dumb terminal', { skip: !hasTerminal }, async () => {
    const plain = await inTerminal(me, ['trigger', '--ref', newRef(), '--watch'], { more: { NO_COLOR: '1' } });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about control characters.
    expect(plain.written).not.toMatch(/\u001b\[[\d;]*m/);
    const dumb = await inTerminal(me, ['trigger', '--ref', newRef(), '--watch'], { more: { TERM: 'dumb' } });
    expect(dumb.written).not.toContain('\u001b');
    expect([plain.code, dumb.code]).toEqual([0, 0]);
  });
});

describe('the exit code', () => {
  it('is 1 for a build that failed, also where it had failed before, and the reason is said', async () => {
    await world.github.set({
      jobs: [
        {
          name: 'build (43)',
          conclusion: 'failure',
          steps: [{ name: 'Build the image', conclusion: 'failure' }],
          annotations: [{ message: 'No space left', path: 'Containerfile', start_line: 7 }],
        },
      ],
    });
    onTestFinished(async () => void (await world.github.set({ jobs: null })));
    const { json } = await world.trigger({ ref: newRef(), inputs: { simulate: 'failure' } });
    const outcomes = [await hapax('watch', String(json.id)), await hapax('watch', String(json.id))];
    for (const { code, stdout } of outcomes) {
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /build \d+: failure in .*\n {2}http.*\n {2}build \(43\): failure {2}http.*\n {4}step 1 Build the image/,
      );
      expect(stdout).toContain('Containerfile:7  No space left');
    }
    const logs = await hapax('logs', String(json.id));
    expect([logs.code, logs.stdout]).toEqual([0, expect.stringContaining('Containerfile:7  No space left')]);
    expect((await hapax('logs', String(json.id), '--json')).json).toMatchObject({
      id: json.id,
      events: expect.any(Array),
      failed_jobs: [{ name: 'build (43)' }],
    });
  });

  it('is 2 for what is asked wrongly, in one line that says what to do', async () => {
    expect(await me.hapax(['trigger'], { XDG_STATE_HOME: '/dev/null/x' })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^hapax: The key of this request cannot be kept .*--idempotency-key\n$/),
    });
    const cases: Array<[args: string[], says: RegExp]> = [
      [['nonsense'], /^hapax: unknown command 'nonsense': see hapax --help\n$/],
      [['trigger', '--nonsense'], /^hapax: unknown option '--nonsense': see hapax trigger --help\n$/],
      [['trigger', '-f', 'novalue'], /^hapax: "novalue" is no input: write it as name=value\n$/],
      [
        ['trigger', '--ref', 'a b'],
        /^hapax: The request is not valid: body\.ref: is not a valid branch or tag name\n$/,
      ],
      [['watch', 'x'], /^hapax: .*whole number from 1.*\n$/],
      [['watch', '999999'], /^hapax: There is no such resource: there is no build 999999; .*hapax list\n$/],
      [['list', '--status', 'lost'], /^hapax: .*Allowed choices are queued/],
      [['list', '--url', 'ftp://x'], /^hapax: --url is not an HTTP URL/],
      [
        ['list', '--url', 'http://u:p4ssw0rd@127.0.0.1:1'],
        /^hapax: --url carries a password: put the key into HAPAX_API_KEY\n$/,
      ],
      [['list', '--profile', 'p'], /^hapax: There is no profile "p"/],
    ];
    for (const [args, says] of cases) {
      const { code, stdout, stderr } = await hapax(...args);
      expect([args, code, stdout]).toEqual([args, 2, '']);
      expect(stderr).toMatch(says);
    }
    const { code, stderr } = await hapax('watch', '999999', '--json');
    expect([code, JSON.parse(stderr)]).toEqual([
      2,
      {
        exit_code: 2,
        error: expect.objectContaining({ code: 'not_found', status: 404, request_id: expect.any(String) }),
      },
    ]);
  });

  it('is 3 for a build that needs a person; then adopting or retrying it is asked for, and confirmed', async () => {
    await world.github.set({ echoes_correlation: false });
    await world.github.fault({ on: 'dispatch', kind: 'accept-then-reset' });
    const ref = newRef();
    const { code, stdout } = await hapax('trigger', '--ref', ref, '--watch');
    await world.github.set({ echoes_correlation: true });
    expect(code).toBe(3);
    const [, id = ''] = /build (\d+) needs a person: /.exec(stdout) ?? [];
    expect(stdout).toContain(`hapax adopt ${id} RUN_ID`);
    expect((await hapax('watch', id)).code).toBe(3);
    const run = (await world.github.runs()).find((one) => one.ref === ref || one.display_title.includes(ref))!;
    expect(await hapax('adopt', id)).toMatchObject({ code: 3, stdout: expect.stringContaining(`${run.id}  http`) });
    const adopt = ['adopt', id, String(run.id)];
    for (const args of [['retry', id], adopt]) {
      expect(await hapax(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining('confirm it with --yes') });
    }
    expect(await hapax(...adopt, '--yes', '--watch')).toMatchObject({ code: 0 });
    expect(await world.ended(Number(id))).toMatchObject({ workflow_run_id: run.id, status: 'success' });
  });

  it('is 5 where nothing listens, where no Hapax does, and where the server is broken', async () => {
    const broken = await standIn(() => 502);
    const page = createServer((_, response) => response.end('<html>hello</html>')).listen(0, '127.0.0.1');
    await once(page, 'listening');
    onTestFinished(() => void page.close());
    expect(await hapax('trigger', '--url', 'http://127.0.0.1:1')).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^hapax: Hapax cannot be reached .*; the same command again is safe: .*\n$/),
    });
    const cases: Array<[url: string, says: RegExp]> = [
      [
        'http://127.0.0.1:1',
        /^hapax: Hapax cannot be reached at http:\/\/127\.0\.0\.1:1 \(.*\): the address is from --url\n$/,
      ],
      [broken, /it responds with 502/],
      [`http://127.0.0.1:${(page.address() as AddressInfo).port}`, /does not respond like Hapax/],
    ];
    await Promise.all(
      cases.map(async ([url, says]) => {
        const { code, stderr } = await hapax('list', '--url', url);
        expect([url, code]).toEqual([url, 5]);
        expect(stderr).toMatch(says);
      }),
    );
  });

  it('is 124 where the time to watch has passed', async () => {
    const { json } = await world.trigger({ ref: newRef(), inputs: { simulate: 'stuck' } });
    expect(await hapax('watch', String(json.id), '--timeout', '1s')).toMatchObject({
      code: 124,
      stderr: expect.stringMatching(
        /^hapax: Build \d+ has not ended yet: it goes on; watch it again with: hapax watch \d+\n$/,
      ),
    });
    expect(await hapax('cancel', String(json.id))).toMatchObject({
      code: 0,
      stdout: `build ${json.id}: cancel requested\n`,
    });
    expect(await hapax('watch', String(json.id))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('cancelled in'),
    });
  });

  it('is 141 where who reads along has stopped', { skip: !hasTerminal }, async () => {
    const { json } = await world.trigger({ ref: newRef() });
    await world.ended(json.id);
    const showing = me.start(['logs', String(json.id)]);
    showing.stdout!.destroy();
    const [code] = await once(showing, 'exit');
    expect([141, 0]).toContain(code);
  });
});

describe('hapax list, show and verify', () => {
  it('show builds as they are, and give programs what the API gives', async () => {
    const ref = newRef();
    const { json } = await world.trigger({ ref, inputs: { simulate: 'failure' } });
    const build = await world.ended(json.id);
    const listed = await hapax('list', '--ref', ref);
    expect(listed.stdout).toMatch(new RegExp(`^BUILD +STATUS +REF +CREATED +TOOK +RUN\\n${json.id} +failure +${ref} `));
    expect((await hapax('list', '--ref', ref, '--json')).json).toEqual({
      builds: [expect.objectContaining({ id: json.id, status: 'failure', ref })],
      next_cursor: null,
    });
    expect(await hapax('list', '--ref', 'none')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'there are no such builds\n',
    });
    expect((await hapax('show', String(json.id), '--json')).json).toEqual(build);
    const shown = await hapax('show', String(json.id));
    expect(shown.stdout).toContain(`build ${json.id}  failure`);
    expect(shown.stdout).toContain(build.run_url);
    expect((await hapax('open', String(json.id), '--run')).stdout).toBe(`${build.run_url}\n`);
    const page = (await hapax('open', String(json.id))).stdout.trim();
    expect((await fetch(page)).status).toBe(200);
  });

  it('pages through as many as are asked for', async () => {
    const { json } = await hapax('list', '--limit', '2', '--json');
    expect(json.builds).toHaveLength(2);
    const next = await hapax('list', '--limit', '1', '--cursor', json.next_cursor, '--json');
    expect(next.json.builds[0].id).toBeLessThan(json.builds[1].id);
  });

  it('prove a chain by recomputing it, whatever the server says', async () => {
    const { json } = await world.trigger({ ref: newRef() });
    const { events } = await world.ended(json.id);
    const head = events.at(-1)!.hash;
    expect(await hapax('verify', String(json.id), '--json')).toMatchObject({
      code: 0,
      json: { stream: `build:${json.id}`, valid: true, length: events.length, head },
    });
    expect(await hapax('verify', String(json.id), '--head', events[1]!.hash)).toMatchObject({ code: 0 });
    expect(await hapax('verify', String(json.id), '--head', '0'.repeat(64))).toMatchObject({ code: 1 });

    // A server that lies: it changes an event and says that all is well.
    const lying = createServer((request, response) => {
      const told = structuredClone(events);
      told[1]!.timestamp = '2020-01-01T00:00:00.000Z';
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify(request.url?.endsWith('/verify') ? { valid: true, length: told.length, head } : told),
      );
    }).listen(0, '127.0.0.1');
    await once(lying, 'listening');
    onTestFinished(() => void lying.close());
    const url = `http://127.0.0.1:${(lying.address() as AddressInfo).port}`;
    expect(await hapax('verify', String(json.id), '--url', url)).toMatchObject({
      code: 1,
      stdout: `build:${json.id}: not valid: event 2 was changed after it was recorded\n`,
    });
  });
});

it('the exit code is 4 without the right key, and a key is never printed', async () => {
  const key = 'a-secret-of-the-test';
  const { url } = await startAnotherApi(world, { settings: { API_KEYS: `me=${key}` } });
  const outcomes = await Promise.all(
    ['', 'another-secret-of-the-test', key].map((given) =>
      me.hapax(['list'], { HAPAX_URL: url, HAPAX_API_KEY: given }),
    ),
  );
  expect(outcomes.map(({ code }) => code)).toEqual([4, 4, 0]);
  expect(outcomes[0]!.stderr).toMatch(
    /^hapax: Credentials are missing or wrong: .*set HAPAX_API_KEY, or a key with: hapax profile set\n$/,
  );
  expect(JSON.stringify(outcomes)).not.toMatch(/(a|another)-secret-of-the-test/);
});

it('a key goes where it was sent, and no further: a redirect is not followed', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    response.writeHead(307, { location: '/elsewhere' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await me.hapax(['cancel', '1'], { HAPAX_URL: url, HAPAX_API_KEY: 'a-secret-of-the-test' });
  expect([code, seen]).toEqual([5, ['/builds/1/cancel Bearer a-secret-of-the-test']]);
  expect(stderr).toContain('it redirects to');
});
