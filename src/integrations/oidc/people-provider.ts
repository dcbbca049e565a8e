import * as client from 'openid-client';
import type { Claims } from '../../domain/keys/oidc-grant.ts';

export interface PeopleProviderOptions {
  issuer: string;
  clientId: string;
  /** Left out for a public client. */
  clientSecret?: string | undefined;
  scope: string;
  /** URL of the console for browsers: `https://hapax.example.com/console`. */
  consoleUrl: string;
}

interface Begun {
  state: string;
  nonce: string;
  verifier: string;
}

type Finished = { claims: Claims } | { fault: string } | { away: string };

/** Longest wait for a response of the provider. */
const TIMEOUT_SECONDS = 5;
/** How long the provider's metadata is used before it is read again. */
const REFRESH_MS = 3_600_000;

/** How far clocks may differ, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** The library's codes for a response that is complete but wrong. All others are faults of the provider or the network. */
const WRONG_ANSWERS = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
]);

/** An OpenID provider that people sign in with: the authorization code flow with PKCE, `state` and `nonce`. */
export class PeopleProvider {
  readonly secure: boolean;
  readonly #options: PeopleProviderOptions;
  #found: { configuration: client.Configuration; at: number } | undefined;

  constructor(options: PeopleProviderOptions) {
    this.#options = options;
    this.secure = options.consoleUrl.startsWith('https:');
  }

  /** Returns the URL where a browser signs in, and what it keeps until it returns. */
  async begin(): Promise<{ url: string; begun: Begun } | { away: string }> {
    const { scope } = this.#options;
    const begun = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    try {
      const url = client.buildAuthorizationUrl(await this.#configuration(), {
        ...{ redirect_uri: this.#redirectUri, scope, state: begun.state, nonce: begun.nonce },
        code_challenge: await client.calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, begun };
    } catch (error) {
      return { away: messageOf(error) };
    }
  }

  /** Returns who came back with a code. Claims that the ID token lacks come from the provider's UserInfo endpoint. */
  async finish(query: URLSearchParams, { state, nonce, verifier }: Begun): Promise<Finished> {
    try {
      const configuration = await this.#configuration();
      // Uses the address that the provider knows. Behind a proxy, the address of the request differs.
      const tokens = await client.authorizationCodeGrant(configuration, new URL(`${this.#redirectUri}?${query}`), {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true },
      });
      const claims = tokens.claims() as unknown as Claims;
      if (configuration.serverMetadata().userinfo_endpoint === undefined) return { claims };
      const more = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return { claims: { ...more, ...claims } };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  signOutUrl(): string | undefined {
    if (this.#found?.configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    const { clientId, consoleUrl } = this.#options;
    return client.buildEndSessionUrl(this.#found.configuration, {
      ...{ client_id: clientId, post_logout_redirect_uri: consoleUrl },
    }).href;
  }

  get #redirectUri(): string {
    return `${this.#options.consoleUrl}/sign-in/callback`;
  }

  async #configuration(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    if (this.#found && performance.now() - this.#found.at < REFRESH_MS) return this.#found.configuration;
    const isOpen = issuer.startsWith('http:');
    const configuration = await client.discovery(
      new URL(issuer),
      clientId,
      { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS, ...(clientSecret ? { client_secret: clientSecret } : {}) },
      clientSecret ? undefined : client.None(),
      { timeout: TIMEOUT_SECONDS, execute: isOpen ? [client.allowInsecureRequests] : [] },
    );
    configuration.timeout = TIMEOUT_SECONDS;
    // By the standard, a token received over TLS need not be verified. But a proxy in between could have replaced it.
    client.enableNonRepudiationChecks(configuration);
    this.#found = { configuration, at: performance.now() };
    return configuration;
  }
}

function outcomeOf(error: unknown): Finished {
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
    if ('status' in error && error.status >= 500) return { away: `it answers with ${error.status}` };
    return { fault: [error.error, error.error_description].filter(Boolean).join(': ').slice(0, 300).toWellFormed() };
  }
  if (error instanceof client.ClientError && WRONG_ANSWERS.has(error.code ?? '')) return { fault: messageOf(error) };
  return { away: messageOf(error) };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== error.message
    ? `${error.message}: ${cause.message}`
    : error.message;
}
