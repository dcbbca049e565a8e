import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GITHUB_ISSUER } from '../../src/contracts/keys/oidc-settings.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { TokenVerifier } from '../../src/integrations/oidc/token-verifier.ts';
import { eventually } from '../world/eventually.ts';
import { startStandIn } from '../world/http-stand-in.ts';
import { openWorld, type World } from '../world/world.ts';

const AUDIENCE = 'hapax.example';

/** An issuer of tokens as GitHub's: metadata, keys, and claims of a job. */
async function startIssuer() {
  const keys = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>();
  const state = { away: false, hangs: false, requests: 0, asked: 0 };
  const issuer = await startStandIn(async ({ url }) => {
    state.requests++;
    if (state.hangs) return 'hang';
    if (state.away) return 'reset';
    if (url.pathname === '/.well-known/openid-configuration') {
      return { body: { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` } };
    }
    state.asked++;
    const jwks = [...keys].map(async ([kid, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: 'RS256',
    }));
    return { body: { keys: await Promise.all(jwks) } };
  });
  const job = (repository: string): JWTPayload => ({
    sub: `repo:${repository}:ref:refs/heads/main`,
    repository,
    repository_id: repository === 'acme/images' ? '1234' : '99',
    ref: 'refs/heads/main',
    event_name: 'push',
    job_workflow_ref: `${repository}/.github/workflows/ci.yml@refs/heads/main`,
  });
  const addKey = async (kid: string) => void keys.set(kid, await generateKeyPair('RS256', { extractable: true }));
  await addKey('one');
  const sign = (claims: JWTPayload, { kid = 'one', named = true, at = 0, life = 300 } = {}) => {
    const now = Math.floor(Date.now() / 1_000) + at;
    return new SignJWT({ iss: issuer.url, aud: AUDIENCE, iat: now, nbf: now, exp: now + life, ...claims })
      .setProtectedHeader({ alg: 'RS256', ...(named ? { kid } : {}), typ: 'JWT' })
      .sign(keys.get(kid)!.privateKey);
  };
  return { ...issuer, state, keys, job, addKey, sign };
}

describe('tokens of jobs', () => {
  let issuer: Awaited<ReturnType<typeof startIssuer>>;
  let world: World;
  beforeAll(async () => {
    issuer = await startIssuer();
    const rules = [
      {
        issuer: issuer.url,
        claims: { repository_id: '1234', ref: ['refs/heads/main', 'refs/heads/release/*'] },
        rights: ['read', 'trigger'],
        repositories: ['{repository}'],
        builds_in_flight: 1,
      },
      { issuer: issuer.url, claims: { sub: 'repo:ops/*:environment:production' }, rights: ['admin'] },
    ];
    world = await openWorld('server', { OIDC_RULES: JSON.stringify(rules), OIDC_AUDIENCE: AUDIENCE });
  });
  afterAll(async () => {
    await world?.close();
    await issuer?.close();
  });
  const ask = (token: string, method = 'GET', path = '/builds', body?: object) =>
    world.call(method, path, body, { authorization: `Bearer ${token}` });

  it('let in by the first rule that their claims match, to what it says', async () => {
    expect((await world.call('GET', '/builds')).status).toBe(401);
    const token = await issuer.sign(issuer.job('acme/images'));
    const made = await ask(token, 'POST', '/builds/trigger', { ref: 'oidc', inputs: { simulate: 'stuck' } });
    expect(made.status).toBe(202);
    await eventually(async () => {
      const { json } = await ask(token, 'GET', `/builds/${made.json.id}`);
      expect(json.events[0].event_data.caller).toBe(
        `oidc:repo:acme/images:ref:refs/heads/main@${new URL(issuer.url).host}`,
      );
    });
    const another = await ask(token, 'POST', '/builds/trigger', { ref: 'oidc-2' });
    expect([another.status, another.json.code]).toEqual([429, 'too_many_in_flight']);
    expect((await ask(token, 'POST', `/builds/${made.json.id}/cancel`)).status).toBe(403);
    expect((await ask(token, 'GET', '/events')).status).toBe(403);
    const release = await issuer.sign({ ...issuer.job('acme/images'), ref: 'refs/heads/release/43' });
    expect((await ask(release)).status).toBe(200);
    const admin = await issuer.sign({ sub: 'repo:ops/deploy:environment:production' });
    expect((await ask(admin, 'GET', '/keys')).status).toBe(200);
    expect((await ask(admin, 'POST', `/builds/${made.json.id}/cancel`)).status).toBe(202);
  });

  it.each<[string, () => Promise<string>]>([
    ['of another repository', () => issuer.sign(issuer.job('rival/images'))],
    ['of another branch', () => issuer.sign({ ...issuer.job('acme/images'), ref: 'refs/heads/fork' })],
    [
      'of a repository that took over the name',
      () => issuer.sign({ ...issuer.job('acme/images'), repository_id: '99' }),
    ],
    ['for another audience', () => issuer.sign({ ...issuer.job('acme/images'), aud: 'https://github.com/acme' })],
    ['that expired', () => issuer.sign(issuer.job('acme/images'), { at: -600 })],
    ['that are not valid yet', () => issuer.sign(issuer.job('acme/images'), { at: 120 })],
    ['of another issuer', () => issuer.sign({ ...issuer.job('acme/images'), iss: 'https://evil.example' })],
    [
      'with a claim that only begins like the pattern',
      () => issuer.sign({ sub: 'repo:ops/x:environment:production2' }),
    ],
    [
      'without a signature',
      async () => new UnsecuredJWT({ ...issuer.job('acme/images'), iss: issuer.url, aud: AUDIENCE }).encode(),
    ],
    [
      "signed with the issuer's public key as a secret",
      async () =>
        new SignJWT({ ...issuer.job('acme/images'), iss: issuer.url, aud: AUDIENCE })
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .setExpirationTime('5m')
          .sign(new TextEncoder().encode(JSON.stringify(await exportJWK(issuer.keys.get('one')!.publicKey)))),
    ],
    [
      'with changed claims',
      async () => {
        const [head, , signature] = (await issuer.sign(issuer.job('rival/images'))).split('.');
        const [, claims] = (await issuer.sign(issuer.job('acme/images'))).split('.');
        return `${head}.${claims}.${signature}`;
      },
    ],
    ['of no form at all', async () => 'eyJhbGciOiJub25lIn0.e30.'],
  ])('%s are refused', async (_, make) => {
    const { status, json } = await ask(await make());
    expect([status, json.code]).toEqual([401, 'unauthorized']);
    expect(json.detail).toContain('the token is refused');
  });

  it('end their streams where they expire', async () => {
    const expired = await issuer.sign({ sub: 'repo:ops/deploy:environment:production' }, { at: -310 });
    const headers = { authorization: `Bearer ${expired}`, accept: 'text/event-stream' };
    const stream = await fetch(`${world.url}/events`, { headers });
    expect(stream.status).toBe(200);
    const admin = await issuer.sign({ sub: 'repo:ops/deploy:environment:production' });
    // Streams are looked at when the keys change, and every 15 seconds.
    expect((await ask(admin, 'POST', '/keys', { name: 'first', rights: ['admin'] })).status).toBe(201);
    for await (const _ of stream.body!);
  });

  it('are taken although the clocks differ by some seconds', async () => {
    expect((await ask(await issuer.sign(issuer.job('acme/images'), { at: 15 }))).status).toBe(200);
    expect((await ask(await issuer.sign(issuer.job('acme/images'), { at: -310 }))).status).toBe(200);
  });

  it('are read by the keys that are known while the issuer is away, and are refused for now where none are', async () => {
    issuer.state.away = true;
    try {
      expect((await ask(await issuer.sign(issuer.job('acme/images')))).status).toBe(200);
      const verifier = new TokenVerifier({ issuers: new Set([issuer.url]), audience: AUDIENCE });
      const token = await issuer.sign(issuer.job('acme/images'));
      expect(await verifier.verify(token)).toHaveProperty('away');
      issuer.state.away = false;
      expect(await verifier.verify(token)).toHaveProperty('claims');
    } finally {
      issuer.state.away = false;
    }
  });

  it('are read by the keys that are known although these are old, and a silent issuer is asked once', async () => {
    const verifier = new TokenVerifier({ issuers: new Set([issuer.url]), audience: AUDIENCE, timeoutMs: 200 });
    expect(await verifier.verify(await issuer.sign(issuer.job('acme/images')))).toHaveProperty('claims');
    issuer.state.hangs = true;
    const elevenMinutes = 660_000;
    const [now, ticks] = [Date.now(), performance.now()];
    vi.useFakeTimers({ toFake: ['Date'], now: now + elevenMinutes });
    const clock = vi.spyOn(performance, 'now').mockReturnValue(ticks + elevenMinutes);
    try {
      const token = await issuer.sign(issuer.job('acme/images'));
      const before = issuer.state.requests;
      for (let tries = 0; tries < 5; tries++) expect(await verifier.verify(token)).toHaveProperty('claims');
      await issuer.addKey('new');
      const unknown = await issuer.sign(issuer.job('acme/images'), { kid: 'new' });
      expect(await verifier.verify(unknown)).toHaveProperty('away');
      expect(issuer.state.requests - before).toBe(1);
    } finally {
      issuer.state.hangs = false;
      issuer.keys.delete('new');
      clock.mockRestore();
      vi.useRealTimers();
    }
  });

  it('are refused once their key is withdrawn: old keys are read again', async () => {
    await issuer.addKey('leaked');
    const verifier = new TokenVerifier({ issuers: new Set([issuer.url]), audience: AUDIENCE });
    const leaked = await issuer.sign(issuer.job('acme/images'), { kid: 'leaked', life: 1_200 });
    expect(await verifier.verify(leaked)).toHaveProperty('claims');
    issuer.keys.delete('leaked');
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 660_000);
    try {
      expect(await verifier.verify(leaked)).toEqual({ fault: `${issuer.url} has no such key` });
    } finally {
      clock.mockRestore();
    }
  });

  it('that do not name their key are tried with each, and refused if none fits', async () => {
    await issuer.addKey('second');
    const verifier = new TokenVerifier({ issuers: new Set([issuer.url]), audience: AUDIENCE });
    const verify = async (kid: string) =>
      verifier.verify(await issuer.sign(issuer.job('acme/images'), { kid, named: false }));
    try {
      expect(await verify('one')).toHaveProperty('claims');
      expect(await verify('second')).toHaveProperty('claims');
      const stranger = await startIssuer();
      const forged = await stranger.sign({ ...issuer.job('acme/images'), iss: issuer.url }, { named: false });
      await stranger.close();
      expect(await verifier.verify(forged)).toEqual({ fault: 'its signature is wrong' });
    } finally {
      issuer.keys.delete('second');
    }
  });

  it('with a key that is unknown have it looked for, seldom; and one that is new is found', async () => {
    const verifier = new TokenVerifier({ issuers: new Set([issuer.url]), audience: AUDIENCE, cooldownMs: 100 });
    expect(await verifier.verify(await issuer.sign(issuer.job('acme/images')))).toHaveProperty('claims');
    const before = issuer.state.asked;
    await issuer.addKey('two');
    const token = await issuer.sign(issuer.job('acme/images'), { kid: 'two' });
    await eventually(async () => expect(await verifier.verify(token)).toHaveProperty('claims'));
    issuer.keys.delete('two');
    const seldom = new TokenVerifier({ issuers: new Set([issuer.url]), audience: AUDIENCE });
    for (let tries = 0; tries < 20; tries++) expect(await seldom.verify(token)).toHaveProperty('fault');
    expect(issuer.state.asked - before).toBeLessThanOrEqual(4);
  });
});

describe('rules about tokens', () => {
  const faultOf = (rule: object, audience: string | undefined = AUDIENCE) => {
    try {
      readSettings({ OIDC_RULES: JSON.stringify([rule]), ...(audience ? { OIDC_AUDIENCE: audience } : {}) });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  const github = { issuer: GITHUB_ISSUER, rights: ['trigger'] };

  it('must say whose tokens they are about', () => {
    expect(faultOf({ ...github, claims: { repository_id: '1234' } })).toBeUndefined();
    expect(faultOf({ ...github, claims: {} })).toContain('must name a claim');
    expect(faultOf({ ...github, claims: { ref: 'refs/heads/main' } })).toContain('anybody at GitHub');
    expect(faultOf({ ...github, claims: { sub: '*' } })).toContain('begin with *');
    expect(faultOf({ ...github, issuer: 'http://issuer.example', claims: { sub: 'a' } })).toContain('https');
    expect(faultOf({ ...github, claims: { sub: 'a' }, rights: ['admin'], queues: ['a'] })).toContain('restricted');
    expect(faultOf({ ...github, claims: { sub: 'repo:a/b' } }, '')).toContain('OIDC_AUDIENCE');
  });

  it.each<Record<string, string | string[]>>([
    { sub: 'repo:*' },
    { sub: 'repo:*:ref:refs/heads/main' },
    { sub: 'repo:ac*' },
    { sub: 'repo:acme' },
    { sub: 'environment:production' },
    { sub: 'environment:production:repository_owner:acme' },
    { sub: 'repository_owner:ac*' },
    { repository_id: '1*' },
    { repository: ['acme/*', 'r*'] },
    { repository_owner: 'acme*' },
    { job_workflow_ref: 'a*' },
    { enterprise: 'ac*' },
  ])('of GitHub name an owner in full: not %j', (claims) => {
    expect(faultOf({ ...github, claims })).toContain('anybody at GitHub');
  });

  it.each<Record<string, string | string[]>>([
    { sub: 'repo:acme/*' },
    { sub: 'repo:acme@12/images@34:ref:refs/heads/main' },
    { sub: ['repo:acme/images:*', 'repository_owner:acme:environment:*'] },
    { sub: 'repository_owner_id:65' },
    { sub: 'job_workflow_ref:acme/ci/.github/workflows/*' },
    { repository: ['acme/*', 'rival/images'] },
    { repository_owner_id: '65', sub: 'repo:*' },
    { job_workflow_ref: 'acme/ci/.github/workflows/*@refs/heads/main' },
  ])('of GitHub name an owner in full: as %j', (claims) => {
    expect(faultOf({ ...github, claims })).toBeUndefined();
  });
});
