import { generateKeyPairSync, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Forge, type ForgeOptions } from '../../src/integrations/forges/forge.ts';
import { type Asked, startStandIn } from '../world/http-stand-in.ts';

/** GitHub as an app meets it: it knows the app by the signature, and a repository by the token of its installation. */
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
const HOUR_MS = 3_600_000;

let standIn: Awaited<ReturnType<typeof startStandIn>>;
let asked: string[];
/** Number of the tokens that were made; each is called ghs_N. */
let made: number[];
/** Why a token is not taken now; undefined where it is. */
let refuses: (ageMs: number, number: number) => number | undefined;
/** The status of an app that asks for a token. */
let gives: number;
/** GitHub's clock minus ours. */
let clockOffMs: number;
/** The installation that has access to the repository. */
let installation: number;

function appFault(authorization: string): string | undefined {
  const [head, body, signature] = authorization.replace(/^bearer /i, '').split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iss: string; iat: number; exp: number };
  const signed = Buffer.from(`${head}.${body}`);
  if (claims.iss !== '42' || !verify('sha256', signed, keys.publicKey, Buffer.from(signature, 'base64url'))) {
    return 'A JSON web token could not be decoded';
  }
  const now = (Date.now() + clockOffMs) / 1_000;
  if (claims.iat > now) return "'Issued at' claim ('iat') must be an Integer representing the time that it was issued";
  if (claims.exp <= now || claims.exp > now + 600) return "'Expiration time' claim ('exp') is too far in the future";
  return undefined;
}

function answer({ method, url, headers }: Asked) {
  asked.push(`${method} ${url.pathname}`);
  const date = new Date(Date.now() + clockOffMs).toUTCString();
  const authorization = headers.authorization ?? '';
  const remaining = authorization.startsWith('token ') ? 4_999 : 60;
  const say = (status: number, body: object) => {
    return { status, body, headers: { date, 'x-ratelimit-remaining': `${remaining}` } };
  };
  if (url.pathname === '/rate_limit') return say(200, {});
  if (/\/installation$|\/access_tokens$/.test(url.pathname)) {
    const fault = appFault(authorization);
    if (fault) return say(401, { message: fault });
    if (url.pathname === '/repos/acme/images/installation') return say(200, { id: installation });
    if (url.pathname !== `/app/installations/${installation}/access_tokens`) return say(404, { message: 'Not Found' });
    if (gives !== 201) return say(gives, { message: 'This installation has been suspended' });
    made.push(Date.now());
    const expires_at = new Date(Date.now() + clockOffMs + HOUR_MS).toISOString();
    return say(201, { token: `ghs_${made.length}`, expires_at, permissions: {} });
  }
  const number = Number(/^token ghs_(\d+)$/.exec(authorization)?.[1]);
  const refusal = refuses(Date.now() - (made[number - 1] ?? Number.NaN), number);
  if (refusal !== undefined || Number.isNaN(number)) return say(refusal ?? 401, { message: 'Bad credentials' });
  const run = { id: 5, html_url: 'page', status: 'completed', conclusion: 'success', display_title: 'Build' };
  const listed = { ...run, event: 'workflow_dispatch', head_branch: 'main', path: 'build.yml' };
  const created_at = new Date(Date.now() + clockOffMs).toISOString();
  if (url.pathname.endsWith('/dispatches')) return say(200, { workflow_run_id: 5, html_url: 'page', run_url: 'api' });
  if (/\/(cancel|rerun)$/.test(url.pathname)) return say(202, {});
  if (url.pathname.endsWith('/actions/runs')) return say(200, { workflow_runs: [{ ...listed, created_at }] });
  if (url.pathname.endsWith('/actions/runs/5')) return say(200, { ...listed, created_at });
  return say(404, { message: 'Not Found' });
}

beforeEach(async () => {
  asked = [];
  made = [];
  refuses = () => undefined;
  gives = 201;
  clockOffMs = 0;
  installation = 7;
  standIn = await startStandIn(answer);
});
afterEach(() => standIn.close());

const app = (onResponse?: ForgeOptions['onResponse']) => {
  const reports = onResponse ? { onResponse } : {};
  return new Forge({ apiUrl: standIn.url, auth: { appId: '42', privateKey }, requestTimeoutMs: 5_000, ...reports });
};
const request = (repository: string) => ({ repository, workflow: 'build.yml', ref: 'main', inputs: {} });
const dispatch = (github: Forge) => github.writes.dispatch(request('acme/images'), null);
const dispatches = () => asked.filter((one) => one.endsWith('/dispatches')).length;

it('dispatches as the installation of a GitHub App, whose token it asks for once', async () => {
  const github = app();
  await github.ping();
  for (let n = 0; n < 2; n++) expect(await dispatch(github)).toMatchObject({ kind: 'accepted', run_id: 5 });
  expect(asked.filter((one) => /installation/.test(one))).toEqual([
    'GET /repos/acme/images/installation',
    'POST /app/installations/7/access_tokens',
  ]);
});

it('reports what is left of the rate limit of its installation, and not of callers without a credential', async () => {
  const left: [string, number | undefined][] = [];
  const github = app((route, _status, remaining) => left.push([route, remaining]));
  await github.ping();
  await github.checkCredential();
  await github.runs.read('acme/images', 5);
  expect(left).toEqual([
    ['GET /rate_limit', undefined],
    ['GET /user', undefined],
    [expect.stringContaining('/actions/runs/'), 4_999],
  ]);
});

it('says where the app is not installed, and sends nothing', async () => {
  const github = app();
  const outcome = await github.writes.dispatch(request('acme/other'), null);
  expect(outcome).toMatchObject({
    kind: 'not_sent',
    reason: expect.stringMatching(/no token for acme\/other.*GITHUB_APP_ID/),
  });
  expect(github.troubles).toEqual([expect.stringContaining('acme/other')]);
  expect(dispatches()).toBe(0);
  // That is no word about the run.
  await expect(github.runs.read('acme/other', 5)).rejects.toMatchObject({ status: undefined });
  await expect(github.writes.cancel('acme/other', 5)).rejects.toThrow('no token');
});

it.each([401, 403, 502])(
  'knows that nothing was sent where GitHub answers %i to an app that asks for a token',
  async (status) => {
    gives = status;
    const github = app();
    expect(await dispatch(github)).toMatchObject({ kind: 'not_sent' });
    expect(dispatches()).toBe(0);
    gives = 201;
    expect(await dispatch(github)).toMatchObject({ kind: 'accepted' });
    expect(github.troubles).toEqual([]);
  },
);

it('waits longer each time while GitHub gives no token, up to a minute or so', async () => {
  gives = 502;
  const github = app();
  const waits: number[] = [];
  for (let tries = 0; tries < 6; tries++) waits.push(((await dispatch(github)) as { wait_ms: number }).wait_ms);
  for (const [tries, least] of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000].entries()) {
    expect(waits[tries]).toBeGreaterThanOrEqual(least);
    expect(waits[tries]).toBeLessThanOrEqual(least * 1.25);
  }
  gives = 201;
  expect(await dispatch(github)).toMatchObject({ kind: 'accepted' });
});

describe('a token that GitHub refuses', () => {
  const all: [string, (github: Forge) => Promise<unknown>][] = [
    ['a dispatch', dispatch],
    [
      'a listing',
      (github) => github.runs.find('acme/images', { workflow: 'build.yml', ref: 'main', tokens: [], since: '' }, 0),
    ],
    ['a look at a run', (github) => github.runs.read('acme/images', 5)],
    ['a cancellation', (github) => github.writes.cancel('acme/images', 5)],
    ['a re-run', (github) => github.writes.rerun('acme/images', 5, false)],
  ];

  it.each(all)('for a moment after it was made is sent again, with %s', async (_, ask) => {
    refuses = (ageMs) => (ageMs < 600 ? 401 : undefined);
    await expect(ask(app())).resolves.not.toMatchObject({ kind: 'not_sent' });
    expect(made).toHaveLength(1);
  });

  it.each(all)('although it had worked is replaced at once, with %s', async (_, ask) => {
    const github = app();
    await dispatch(github);
    refuses = (_ageMs, number) => (number === 1 ? 401 : undefined);
    await expect(ask(github)).resolves.not.toMatchObject({ kind: 'not_sent' });
    expect(made).toHaveLength(2);
    expect(github.troubles).toEqual([]);
  });

  it('is replaced once by many who meet its end at the same time', async () => {
    const github = app();
    await dispatch(github);
    refuses = (_ageMs, number) => (number === 1 ? 401 : undefined);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => dispatch(github)));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    expect(made).toHaveLength(2);
  });

  it('for longer counts as not sent, whatever the request, and is tried again with the next', async () => {
    refuses = () => 401;
    const github = app();
    expect(await dispatch(github)).toMatchObject({
      kind: 'not_sent',
      reason: expect.stringContaining('GITHUB_APP_ID'),
    });
    expect(github.troubles).toEqual([expect.stringContaining('Bad credentials')]);
    // A new token may need longer than one request waits; another would begin from the start.
    expect(made).toHaveLength(1);
    refuses = () => undefined;
    expect(await dispatch(github)).toMatchObject({ kind: 'accepted' });
  });

  it('with 404, as Forge does where a part of it does not know a new token of a private repository', async () => {
    let first = true;
    refuses = () => {
      const status = first ? 404 : undefined;
      first = false;
      return status;
    };
    const github = app();
    expect(await dispatch(github)).toMatchObject({ kind: 'not_sent', refusal: { status: 404 } });
    expect(await dispatch(github)).toMatchObject({ kind: 'accepted' });
  });
});

it('follows a run whose repository moves to another owner, and asks for its installation once a minute at most', async () => {
  const github = app();
  await github.runs.read('acme/images', 5);
  const lookUps = () => asked.filter((one) => one.endsWith('/installation')).length;
  expect(lookUps()).toBe(1);
  const start = performance.now();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(start + 61_000);
  onTestFinished(() => clock.mockRestore());
  // GitHub hides a private repository from those who have no access.
  installation = 8;
  refuses = (_ageMs, number) => (number === 1 ? 404 : undefined);
  await expect(github.runs.read('acme/images', 5)).rejects.toMatchObject({ status: 404 });
  expect(await github.runs.read('acme/images', 5)).toMatchObject({ conclusion: 'success' });
  expect(lookUps()).toBe(2);
  for (let n = 0; n < 3; n++) await expect(github.runs.read('acme/images', 6)).rejects.toMatchObject({ status: 404 });
  expect(lookUps()).toBe(2);
});

it.each([-HOUR_MS, HOUR_MS])('logs in where the clock of GitHub is %i ms off', async (offMs) => {
  clockOffMs = offMs;
  const github = app();
  expect(await dispatch(github)).toMatchObject({ kind: 'accepted' });
  expect(await dispatch(github)).toMatchObject({ kind: 'accepted' });
  expect(made).toHaveLength(1);
});
