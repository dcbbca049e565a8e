import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings, type Settings } from '../../src/contracts/settings.ts';
import { claimsKept, grantOfPerson } from '../../src/domain/keys/person-grant.ts';
import { PeopleProvider } from '../../src/integrations/oidc/people-provider.ts';
import { startStandIn } from '../world/http-stand-in.ts';

const CLIENT_ID = 'hapax';

/** A provider that says what it is told to, also what no honest one would. */
async function startLiar() {
  const [key, another] = await Promise.all([1, 2].map(() => generateKeyPair('RS256', { extractable: true })));
  const lie: {
    claims: JWTPayload;
    token: 'signed' | 'by another key' | 'unsigned' | 'missing';
    user: object;
    status: number;
    asked: URLSearchParams;
  } = { claims: {}, token: 'signed', user: {}, status: 200, asked: new URLSearchParams() };
  const liar = await startStandIn(async ({ url, body }) => {
    if (url.pathname === '/.well-known/openid-configuration') {
      return {
        body: {
          issuer: liar.url,
          authorization_endpoint: `${liar.url}/authorize`,
          token_endpoint: `${liar.url}/token`,
          userinfo_endpoint: `${liar.url}/user`,
          jwks_uri: `${liar.url}/jwks`,
          id_token_signing_alg_values_supported: ['RS256', 'none'],
          authorization_response_iss_parameter_supported: true,
        },
      };
    }
    if (url.pathname === '/jwks')
      return { body: { keys: [{ ...(await exportJWK(key!.publicKey)), alg: 'RS256', kid: 'one' }] } };
    if (url.pathname === '/user') return { body: { sub: 'ada', groups: ['staff'], ...lie.user } };
    lie.asked = new URLSearchParams(body);
    if (lie.status !== 200) return { status: lie.status, body: { error: 'invalid_grant' } };
    const now = Math.floor(Date.now() / 1_000);
    const claims = { iss: liar.url, aud: CLIENT_ID, sub: 'ada', iat: now, exp: now + 60, ...lie.claims };
    const signed = (by: typeof key) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(by!.privateKey);
    const id_token = {
      signed: () => signed(key),
      'by another key': () => signed(another),
      unsigned: async () => new UnsecuredJWT(claims).encode(),
      missing: async () => undefined,
    }[lie.token];
    return { body: { access_token: 'a', token_type: 'bearer', id_token: await id_token() } };
  });
  return { ...liar, lie };
}

describe('a provider that signs people in', () => {
  let liar: Awaited<ReturnType<typeof startLiar>>;
  let provider: PeopleProvider;
  beforeAll(async () => {
    liar = await startLiar();
    const consoleUrl = 'https://hapax.example.com/console';
    provider = new PeopleProvider({ issuer: liar.url, clientId: CLIENT_ID, scope: 'openid', consoleUrl });
  });
  afterAll(() => liar.close());

  /** A browser that goes to the provider and comes back at once. */
  async function signIn(told: Partial<typeof liar.lie> = {}, answer: Record<string, string> = {}) {
    const started = await provider.begin();
    if (!('url' in started)) throw new Error(started.away);
    const { url, begun } = started;
    const { nonce } = begun;
    Object.assign(liar.lie, { token: 'signed', user: {}, status: 200 }, told, { claims: { nonce, ...told.claims } });
    const query = new URLSearchParams({ code: 'c', state: begun.state, iss: liar.url, ...answer });
    return { url: new URL(url), finished: await provider.finish(query, begun) };
  }
  const now = () => Math.floor(Date.now() / 1_000);

  it('is asked with state, nonce and PKCE, and told the address that it knows', async () => {
    const { url, finished } = await signIn();
    const { searchParams: asked } = url;
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect([asked.get('state'), asked.get('nonce'), asked.get('code_challenge')]).not.toContain(null);
    expect(asked.get('redirect_uri')).toBe('https://hapax.example.com/console/sign-in/callback');
    expect(liar.lie.asked.get('redirect_uri')).toBe('https://hapax.example.com/console/sign-in/callback');
    expect(liar.lie.asked.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    expect(finished).toMatchObject({ claims: { iss: liar.url, sub: 'ada', groups: ['staff'] } });
  });

  it.each<[string, Parameters<typeof signIn>]>([
    ['with another nonce', [{ claims: { nonce: 'another' } }]],
    ['for another client', [{ claims: { aud: 'another' } }]],
    ['of another issuer', [{ claims: { iss: 'https://evil.example' } }]],
    ['that expired', [{ claims: { exp: now() - 60, iat: now() - 120 } }]],
    ['signed by another key', [{ token: 'by another key' }]],
    ['without a signature', [{ token: 'unsigned' }]],
    ['that is missing', [{ token: 'missing' }]],
    ['about another user', [{ user: { sub: 'root' } }]],
    ['after an answer with another state', [{}, { state: 'another' }]],
    ['after an answer of another issuer', [{}, { iss: 'https://evil.example' }]],
    ['for a code that was used', [{ status: 400 }]],
    ['after a refusal', [{}, { error: 'access_denied' }]],
  ])('lets nobody in by a token %s', async (_, told) => {
    const { finished } = await signIn(...told);
    expect(finished).not.toHaveProperty('claims');
    expect(finished).toHaveProperty('fault');
  });

  it('may have a clock that differs by some seconds', async () => {
    for (const seconds of [-20, 20]) {
      const iat = now() + seconds;
      expect((await signIn({ claims: { iat, exp: iat + 5 } })).finished).toHaveProperty('claims');
    }
  });

  it('is away, and no fault of the person, while it answers with 500', async () => {
    expect((await signIn({ status: 500 })).finished).toHaveProperty('away');
    const nobody = {
      issuer: 'http://127.0.0.1:1',
      clientId: 'x',
      scope: 'openid',
      consoleUrl: 'http://127.0.0.1/console',
    };
    expect(await new PeopleProvider(nobody).begin()).toHaveProperty('away');
  });
});

describe('rules about people', () => {
  const issuer = 'https://id.acme.example';
  const rules = [
    { claims: { email: '*@acme.example' }, rights: ['read' as const] },
    { claims: { groups: ['operators', 'on-call-*'] }, rights: ['read' as const, 'operate' as const] },
  ];
  const rightsOf = (claims: object) => {
    const told = { iss: issuer, sub: 'x', ...claims };
    return grantOfPerson(rules, issuer, claimsKept(rules, told))?.rights;
  };

  it('look at what is said of a person, and at no address that nobody verified', () => {
    expect(rightsOf({ email: 'ada@acme.example', email_verified: true })).toEqual(['read']);
    expect(rightsOf({ email: 'ada@acme.example', email_verified: false })).toBeUndefined();
    expect(rightsOf({ email: 'ada@acme.example' })).toBeUndefined();
    expect(rightsOf({ email: 'ada@acme.example.evil', email_verified: true })).toBeUndefined();
    expect(rightsOf({ groups: ['staff', 'on-call-eu'] })).toEqual(['read', 'operate']);
    expect(rightsOf({ iss: 'https://evil.example', groups: ['operators'] })).toBeUndefined();
    expect(Object.keys(claimsKept(rules, { iss: issuer, sub: 'x', phone: '1', groups: [] }))).toEqual([
      'groups',
      'iss',
      'sub',
    ]);
  });

  const sound: Partial<Record<keyof Settings, string>> = {
    SIGN_IN_ISSUER: issuer,
    SIGN_IN_CLIENT_ID: 'hapax',
    SIGN_IN_RULES: JSON.stringify(rules),
    PUBLIC_URL: 'https://hapax.acme.example',
  };
  const faultOf = (given: Partial<Record<keyof Settings, string | undefined>>) => {
    try {
      readSettings({ ...sound, ...given });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  const rule = (given: object) => ({
    SIGN_IN_RULES: JSON.stringify([{ claims: { sub: 'a' }, rights: ['read'], ...given }]),
  });

  it.each<[string | undefined, Partial<Record<keyof Settings, string | undefined>>]>([
    [undefined, {}],
    [undefined, { SIGN_IN_ISSUER: 'http://127.0.0.1:9000', PUBLIC_URL: 'http://127.0.0.1:8000' }],
    ['SIGN_IN_RULES: is missing', { SIGN_IN_RULES: undefined }],
    ['PUBLIC_URL: is missing', { PUBLIC_URL: undefined }],
    ['SIGN_IN_ISSUER: is missing', { SIGN_IN_ISSUER: undefined }],
    ['https', { SIGN_IN_ISSUER: 'http://id.acme.example' }],
    ['without a path', { PUBLIC_URL: 'https://hapax.acme.example/console' }],
    ['must include openid', { SIGN_IN_SCOPES: 'profile' }],
    ['JSON array', { SIGN_IN_RULES: 'everybody' }],
    ['a claim about the person', rule({ claims: { iss: issuer } })],
    ['not only *', rule({ claims: { sub: '*' } })],
    ['must have read', rule({ rights: ['trigger'] })],
    ['Unrecognized key', rule({ repositories: ['acme/*'] })],
  ])('are checked at the start: %s', (fault, given) => {
    if (fault === undefined) expect(faultOf(given)).toBeUndefined();
    else expect(faultOf(given)).toContain(fault);
  });
});
