import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Check } from '../../src/contracts/check.ts';
import { type GitHubSimulator, startGitHubSimulator } from '../../src/simulator/github.ts';
import { type Person, person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import { hasTerminal, typedInto } from '../world/terminal.ts';
import { openWorld, type World } from '../world/world.ts';

const TOKEN = 'github_pat_of_the_test_0123456789';
let github: GitHubSimulator;
let me: Person;
let file: string;
beforeAll(async () => {
  github = await startGitHubSimulator({ settings: { rate_limit: 1_000_000 } });
});
afterAll(() => github.close());
beforeEach(() => {
  me = person({ GITHUB_API_URL: github.url });
  file = join(me.home, 'settings.env');
  me.env.HAPAX_ENV_FILE = file;
  return me.remove;
});
const set = (settings: object) =>
  fetch(`${github.url}/_simulator/settings`, { method: 'PUT', body: JSON.stringify(settings) });
const fault = (one: object) =>
  fetch(`${github.url}/_simulator/faults`, { method: 'POST', body: JSON.stringify([one]) });
const settingsIn = () =>
  Object.fromEntries(
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  );

it('writes all of its output to a pipe before it ends', async () => {
  const profiles = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, n) => [`p${n}`, { url: 'http://127.0.0.1:1' }]),
  );
  mkdirSync(join(me.home, 'config/hapax'), { recursive: true });
  writeFileSync(join(me.home, 'config/hapax/profiles.json'), JSON.stringify({ profiles }), { mode: 0o600 });
  const { code, json } = await me.hapax(['profile', 'list', '--json']);
  expect([code, Object.keys(json.profiles).length]).toEqual([0, 20_000]);
});

it('does nothing where a person presses Ctrl-C or Ctrl-D instead of an answer', { skip: !hasTerminal }, async () => {
  for (const [key, exit] of [
    ['\x03', 130],
    ['\x04', 2],
  ] as const) {
    const { code, written } = await typedInto(me, ['schedules', 'delete', 'x'], [[/\[y\/N\]/, key]]);
    expect([code, written]).toEqual([exit, expect.stringContaining('Nothing was done')]);
    expect(written).not.toContain('AbortError');
  }
});

describe('hapax init', () => {
  const ARGS = ['init', '--repository', 'acme/images', '--webhook-secret', 'new'];

  it('writes what GitHub confirmed, for its user alone, and shows no secret', async () => {
    const { code, stdout, stderr } = await me.hapax(ARGS, { GITHUB_TOKEN: TOKEN });
    expect([code, stderr]).toEqual([0, '']);
    expect(settingsIn()).toEqual({
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: TOKEN,
      GITHUB_REPO: 'acme/images',
      GITHUB_WORKFLOW: 'build.yml',
      GITHUB_WEBHOOK_SECRET: expect.stringMatching(/^[0-9a-f]{64}$/),
      HAPAX_HOME: expect.stringMatching(/\.hapax$/),
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stdout).toContain('hapax_id');
    expect(stdout).not.toContain(TOKEN);
    expect(stdout).not.toContain(settingsIn().GITHUB_WEBHOOK_SECRET);
  });

  it('accepts the token of an Enterprise Server that limits no rates, but not another server that answers 404', async () => {
    await fault({ on: 'rate_limit', kind: 'reject-with-404', message: 'Rate limiting is not enabled.' });
    const { code, stderr } = await me.hapax(ARGS, { GITHUB_TOKEN: TOKEN });
    expect([code, stderr]).toEqual([0, '']);
    await fault({ on: 'rate_limit', kind: 'reject-with-404', message: 'Not Found' });
    const refused = await me.hapax([...ARGS, '--yes'], { GITHUB_TOKEN: TOKEN });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('404: Not Found')]);
  });

  it('replaces its own lines only if it may, and keeps the others', async () => {
    writeFileSync(file, '# mine\nPOSTGRES_PASSWORD=x\nGITHUB_REPO=old/one\n', { mode: 0o644 });
    const refused = await me.hapax(ARGS, { GITHUB_TOKEN: TOKEN });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('confirm it with --yes')]);
    expect(readFileSync(file, 'utf8')).toContain('old/one');
    expect((await me.hapax([...ARGS, '--yes'], { GITHUB_TOKEN: TOKEN })).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^# mine\nPOSTGRES_PASSWORD=x\n(?!.*old)/);
    expect(settingsIn()).toMatchObject({ GITHUB_REPO: 'acme/images' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('writes nothing that GitHub does not confirm, and says the setting and the remedy', async () => {
    const cases: Array<[args: string[], environment: Record<string, string>, says: RegExp, code: number]> = [
      [['init', '--repository', 'acme/missing'], { GITHUB_TOKEN: TOKEN }, /^hapax: GITHUB_REPO: .*acme\/missing/, 2],
      [['init', '--repository', 'nonsense'], { GITHUB_TOKEN: TOKEN }, /^hapax: GITHUB_REPO: /, 2],
      [['init'], { GITHUB_TOKEN: TOKEN }, /^hapax: GITHUB_REPO: say which/, 2],
      [
        [...ARGS, '--workflow', 'missing.yml'],
        { GITHUB_TOKEN: TOKEN },
        /^hapax: GITHUB_WORKFLOW: acme\/images has no workflow missing\.yml/,
        2,
      ],
      [
        ['init', '--repository', 'acme/images', '--webhook-secret', 'short'],
        { GITHUB_TOKEN: TOKEN },
        /16 characters or more/,
        2,
      ],
      [
        ARGS,
        { GITHUB_TOKEN: TOKEN, GITHUB_API_URL: 'http://127.0.0.1:2' },
        /^hapax: GitHub at http:\/\/127\.0\.0\.1:2 cannot be asked/,
        5,
      ],
    ];
    for (const [args, environment, says, expected] of cases) {
      const { code, stderr } = await me.hapax(args, environment);
      expect(stderr).toMatch(says);
      expect(stderr).not.toContain(TOKEN);
      expect([args, code]).toEqual([args, expected]);
      expect(() => statSync(file)).toThrow();
    }
  });

  it('leaves no answer from before, so that a simulated GitHub is one, and keeps what it did not ask for', async () => {
    const before = { GITHUB_TOKEN: TOKEN, GITHUB_REPO: 'acme/prod', GITHUB_WORKFLOW: 'b.yml', GITHUB_APP_ID: '1' };
    const keys = {
      GITHUB_APP_PRIVATE_KEY:
        '"-----BEGIN PRIVATE KEY-----\n\nbody=of+the/key==\n-----END PRIVATE KEY-----" # of the app',
      ...{ SIGN_IN_RULES: "'[\n\n{}]'", LOG_LEVEL: 'info', HAPAX_TASKS: "it's" },
    };
    writeFileSync(
      file,
      Object.entries({ ...before, ...keys, PORT: '8001' })
        .map((pair) => pair.join('='))
        .join('\n'),
    );
    const home = join(me.home, "o'brien");
    expect(await me.hapax(['init', '--simulated', '--home', home, '--yes'])).toMatchObject({ code: 0 });
    expect(parseEnv(readFileSync(file, 'utf8'))).toEqual({
      ...{ PORT: '8001', HAPAX_HOME: home, GITHUB_API_URL: github.url },
      ...{ SIGN_IN_RULES: '[\n\n{}]', LOG_LEVEL: 'info', HAPAX_TASKS: "it's" },
    });
    expect(readFileSync(file, 'utf8')).not.toMatch(/KEY|body/);
    expect(await me.hapax(['init', '--simulated', '--home', `${home}"`, '--yes'])).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('HAPAX_HOME cannot be written') },
    });
  });

  it('asks in a terminal, does not show the token, and asks again where GitHub says no', {
    skip: !hasTerminal,
  }, async () => {
    const { code, written } = await typedInto(
      me,
      ['init'],
      [
        [/GitHub token.*: /, TOKEN],
        [/Repository .*: /, 'acme/missing'],
        [/GITHUB_REPO: [\s\S]*Repository .*: /, 'acme/images'],
        [/Its workflow file .*: /, ''],
        [/Webhook secret .*: /, ''],
        [/Where the data is kept .*: /, join(me.home, 'data')],
      ],
    );
    expect([code, written]).toEqual([0, expect.not.stringContaining(TOKEN)]);
    expect(settingsIn()).toEqual({
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN: TOKEN,
      GITHUB_REPO: 'acme/images',
      GITHUB_WORKFLOW: 'build.yml',
      HAPAX_HOME: join(me.home, 'data'),
    });
  });

  it('needs no token for the simulated GitHub', async () => {
    const { code, json } = await me.hapax(['init', '--simulated', '--home', join(me.home, 'data'), '--json']);
    expect([code, json.settings]).toEqual([0, ['GITHUB_API_URL', 'HAPAX_HOME']]);
  });
});

describe('hapax doctor', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  const doctor = async (environment: Record<string, string> = {}) => {
    const { code, json, stdout, stderr } = await me.hapax(['doctor', '--json'], environment);
    const checks = (json?.checks ?? []) as Check[];
    return { code, stdout, stderr, checks, of: (name: string) => checks.filter((check) => check.name === name) };
  };
  const healthy = () => ({
    HAPAX_ENV_FILE: '',
    DATABASE_URL: world.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: world.namespace,
    PORT: new URL(world.url).port,
    GITHUB_TOKEN: TOKEN,
    GITHUB_REPO: 'acme/images',
    GITHUB_WEBHOOK_SECRET: 'a-secret-of-the-test',
  });

  it('finds nothing wrong with an installation that works, and says what it looked at', async () => {
    await set({ webhook: { url: 'https://hapax.example/webhooks/github', secret: 's' } });
    onTestFinished(async () => void (await set({ webhook: null })));
    // What has just started is not whole at once.
    const { checks } = await eventually(async () => {
      const found = await doctor(healthy());
      expect([found.stderr, found.checks.filter(({ status }) => status === 'fault'), found.code]).toEqual(['', [], 0]);
      return found;
    });
    expect(new Set(checks.map(({ name }) => name))).toEqual(
      new Set([
        'node',
        'settings',
        'home',
        'ports',
        'temporal',
        'postgres',
        'github',
        'clock',
        'webhook',
        'api',
        'model',
      ]),
    );
    expect(checks.find(({ name }) => name === 'temporal')?.detail).toMatch(/server 1\.\d+/);
  });

  it('says which ports a start would not get, also where another Hapax has them, or a process that is gone had this home', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port: TEMPORAL_PORT } = taken.address() as AddressInfo;
    const { PORT } = healthy();
    mkdirSync(me.env.HAPAX_HOME!, { mode: 0o700 });
    // A process of this machine has the number, but it is no Hapax.
    const owner = { pid: process.pid, url: `http://127.0.0.1:${TEMPORAL_PORT}` };
    writeFileSync(join(me.env.HAPAX_HOME!, 'owner.json'), JSON.stringify(owner), { mode: 0o600 });
    const { of } = await doctor({ PORT, TEMPORAL_PORT: String(TEMPORAL_PORT), HAPAX_ENV_FILE: '' });
    expect(of('ports')).toEqual([
      expect.objectContaining({ status: 'fault', detail: `port ${PORT} is in use (PORT)` }),
      expect.objectContaining({ status: 'fault', detail: `port ${TEMPORAL_PORT} is in use (TEMPORAL_PORT)` }),
    ]);
  });

  it('says which frontends of Temporal do not answer', async () => {
    const { of } = await doctor({ ...healthy(), TEMPORAL_ADDRESS: `${inject('temporalAddress')},127.0.0.1:1` });
    expect(of('temporal')).toEqual([
      expect.objectContaining({ status: 'ok' }),
      expect.objectContaining({
        status: 'note',
        detail: expect.stringMatching(/^127\.0\.0\.1:1 cannot be used: .*; the others are used$/),
      }),
    ]);
  });

  it('names each thing that is wrong in a line with its remedy, and no secret', async () => {
    const closed = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(closed, 'listening');
    onTestFinished(() => void closed.close());
    const { port } = closed.address() as AddressInfo;
    await set({ clock_off_ms: 0 });
    mkdirSync(me.env.HAPAX_HOME!);
    chmodSync(me.env.HAPAX_HOME!, 0o755);
    const secret = 'hunter2hunter2';
    const environment = {
      ...healthy(),
      DATABASE_URL: `postgres://hapax:${secret}@127.0.0.1:${port}/record`,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      PORT: String(port),
      GITHUB_REPO: 'acme/missing',
      OLLAMA_URL: `http://user:${secret}@127.0.0.1:2`,
      AMQP_URL: `amqp://user:${secret}@127.0.0.1:${port}`,
      RESULT_REDIS_URL: `redis://:${secret}@127.0.0.1:${port}`,
      SIGN_IN_ISSUER: `http://127.0.0.1:${port}`,
      SIGN_IN_CLIENT_ID: 'hapax',
      SIGN_IN_CLIENT_SECRET: secret,
      SIGN_IN_RULES: '[{"claims":{"groups":"staff"},"rights":["read"]}]',
      PUBLIC_URL: 'https://hapax.example',
    };
    const { code, checks, stdout } = await doctor(environment);
    expect(code).toBe(1);
    const faults = checks.filter(({ status }) => status === 'fault');
    expect(new Set(faults.map(({ name }) => name))).toEqual(
      new Set(['home', 'ports', 'temporal', 'postgres', 'github', 'model', 'rabbitmq', 'redis', 'sign-in']),
    );
    for (const { name, detail, remedy } of faults) {
      expect([name, detail, remedy]).toEqual([name, expect.stringMatching(/^.+$/), expect.stringMatching(/^.+$/)]);
    }
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain(TOKEN);
    const lines = (await me.hapax(['doctor'], environment)).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(checks.length);
    expect(lines.filter((line) => line.startsWith('fault'))).toHaveLength(faults.length);
  });

  it('says that a connection pooler dropped the role of the processes', async () => {
    // As a pooler would, the URL has the last word about the role.
    const { of } = await doctor({ ...healthy(), DATABASE_URL: `${world.databaseUrl}?role=postgres` });
    expect(of('postgres')[0]).toMatchObject({
      status: 'fault',
      detail: expect.stringContaining('act as postgres, not as hapax_runtime (DATABASE_ROLE)'),
      remedy: expect.stringContaining("ALTER ROLE postgres SET role = 'hapax_runtime'"),
    });
  });

  it('says a missing webhook, a database that was not migrated, and settings that cannot be read', async () => {
    const url = new URL(inject('postgresUrl'));
    const { code, of } = await doctor({ ...healthy(), DATABASE_URL: url.href, DATABASE_ROLE: '' });
    expect([code, of('webhook')[0], of('postgres')[0]]).toEqual([
      1,
      {
        name: 'webhook',
        status: 'fault',
        detail: 'acme/images has no webhook to /webhooks/github',
        remedy: expect.stringContaining('Workflow runs'),
      },
      {
        name: 'postgres',
        status: 'fault',
        detail: expect.stringMatching(/lacks \d+ migrations/),
        remedy: 'run: hapax migrate',
      },
    ]);
    const wrong = await doctor({ ...healthy(), PORT: 'x', GITHUB_REPOS: 'a/b' });
    expect([wrong.code, wrong.of('settings')[0]?.status]).toEqual([1, 'fault']);
    writeFileSync(file, 'PORT=70000\n', { mode: 0o644 });
    const read = await doctor({ HAPAX_ENV_FILE: file });
    expect(read.of('settings').map(({ status }) => status)).toEqual(['fault', 'fault', 'note']);
  });
});
