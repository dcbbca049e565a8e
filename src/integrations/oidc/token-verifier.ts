import { createRemoteJWKSet, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Claims } from '../../domain/keys/oidc-grant.ts';

/** The result of verifying a token: its claims, why it is refused, or that its issuer does not respond now. */
export type Verified = { claims: Claims } | { fault: string } | { away: string };

export interface TokenVerifierOptions {
  /** Only these issuers are ever asked for keys. */
  issuers: ReadonlySet<string>;
  audience: string;
  /** Longest wait for a response of an issuer, in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** Pause between two requests for keys because of an unknown key id, in milliseconds. Default 30,000. */
  cooldownMs?: number;
}

/** Signatures with a public key. `none` and signatures with a shared secret do not prove who the issuer is. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** How far clocks may differ, in seconds. GitHub's tokens are valid from the second in which they are made. */
const CLOCK_TOLERANCE_SECONDS = 30;

const metadata = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Verifies OpenID Connect tokens with the keys that their issuers publish. */
export class TokenVerifier {
  readonly #options: Required<TokenVerifierOptions>;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  constructor(options: TokenVerifierOptions) {
    this.#options = { timeoutMs: 5_000, cooldownMs: 30_000, ...options };
  }

  async verify(token: string): Promise<Verified> {
    const { issuers, audience } = this.#options;
    const issuer = issuerIn(token);
    if (issuer === undefined) return { fault: 'it is no token of OpenID Connect' };
    if (!issuers.has(issuer)) return { fault: 'no rule of OIDC_RULES is about its issuer' };
    try {
      const { payload } = await jwtVerify(token, await this.#keysOf(issuer), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      return { claims: payload as unknown as Claims };
    } catch (error) {
      return outcomeOf(error, issuer);
    }
  }

  #keysOf(issuer: string): Promise<JWTVerifyGetKey> {
    const known = this.#keys.get(issuer);
    if (known) return known;
    const found = this.#discover(issuer);
    this.#keys.set(issuer, found);
    // The next token asks again.
    found.catch(() => this.#keys.delete(issuer));
    return found;
  }

  async #discover(issuer: string): Promise<JWTVerifyGetKey> {
    const { timeoutMs: timeoutDuration, cooldownMs: cooldownDuration } = this.#options;
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutDuration),
    });
    if (!response.ok) throw new Error(`it answers with ${response.status}`);
    const { issuer: told, jwks_uri } = metadata.parse(await response.json());
    if (told !== issuer) throw new Error(`it calls itself ${told}`);
    const keys = new URL(jwks_uri);
    if (keys.protocol !== 'https:' && new URL(issuer).protocol === 'https:')
      throw new Error('its keys are not at https');
    return createRemoteJWKSet(keys, { timeoutDuration, cooldownDuration });
  }
}

function issuerIn(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** Returns the outcome of an error. Faults in the token are the sender's; all others are the issuer's or the network's. */
function outcomeOf(error: unknown, issuer: string): Verified {
  if (error instanceof errors.JWTExpired) return { fault: 'it has expired' };
  if (error instanceof errors.JWTClaimValidationFailed) {
    return {
      fault: error.claim === 'aud' ? 'its audience is not OIDC_AUDIENCE' : `its claim ${error.claim} does not hold`,
    };
  }
  if (error instanceof errors.JWKSNoMatchingKey) return { fault: `${issuer} has no such key` };
  if (error instanceof errors.JWSSignatureVerificationFailed) return { fault: 'its signature is wrong' };
  if (error instanceof errors.JOSEAlgNotAllowed) return { fault: 'it is not signed with a public key' };
  if (
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSENotSupported
  ) {
    return { fault: 'it is no signed token' };
  }
  return { away: error instanceof Error ? error.message : String(error) };
}
