import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
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
  /** Pause between two requests for keys, because they are old or a key id is unknown, in milliseconds. Default 30,000. */
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

/** How old the keys of an issuer may be before they are read again, in milliseconds: an issuer may withdraw one. */
const FRESH_MS = 600_000;

const metadata = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** Verifies OpenID Connect tokens with the keys that their issuers publish. */
export class TokenVerifier {
  readonly #audience: string;
  readonly #keys: ReadonlyMap<string, IssuerKeys>;

  constructor({ issuers, audience, timeoutMs = 5_000, cooldownMs = 30_000 }: TokenVerifierOptions) {
    this.#audience = audience;
    this.#keys = new Map([...issuers].map((issuer) => [issuer, new IssuerKeys(issuer, { timeoutMs, cooldownMs })]));
  }

  async verify(token: string): Promise<Verified> {
    const issuer = issuerIn(token);
    if (issuer === undefined) return { fault: 'it is no token of OpenID Connect' };
    const keys = this.#keys.get(issuer);
    if (!keys) return { fault: 'no rule of OIDC_RULES is about its issuer' };
    try {
      const payload = await this.#claimsOf(token, issuer, keys);
      return { claims: payload as unknown as Claims };
    } catch (error) {
      return outcomeOf(error, issuer);
    }
  }

  /** Returns the claims of a token. Tries each key that fits if the token does not name one. */
  async #claimsOf(token: string, issuer: string, keys: IssuerKeys): Promise<JWTPayload> {
    const expected = {
      ...{ issuer, audience: this.#audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE_SECONDS },
      requiredClaims: ['exp', 'sub'],
    };
    try {
      return (await jwtVerify(token, keys.find, expected)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, expected)).payload;
        } catch (wrong) {
          if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }
}

/** The keys of one issuer. While it does not answer, those that it gave last are used. */
class IssuerKeys {
  readonly #issuer: string;
  readonly #options: { timeoutMs: number; cooldownMs: number };
  #known: { keys: JWTVerifyGetKey; at: number } | undefined;
  #askedAt = 0;
  #reading: Promise<void> | undefined;
  /** Why the last reading failed. */
  #fault: unknown;

  constructor(issuer: string, options: { timeoutMs: number; cooldownMs: number }) {
    this.#issuer = issuer;
    this.#options = options;
  }

  /** Returns the key of a token. @throws if the issuer has none for it, or does not answer and could have one. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (!this.#known || performance.now() - this.#known.at > FRESH_MS) await this.#read();
    if (!this.#known) throw this.#fault;
    try {
      return await this.#known.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#read();
      if (this.#fault) throw this.#fault;
      return this.#known.keys(header, token);
    }
  };

  /** Reads the keys, or keeps those that are known. Asks seldom, so that an issuer that hangs does not delay every request. */
  #read(): Promise<void> | undefined {
    const now = performance.now();
    if (this.#reading || (this.#known && now - this.#askedAt < this.#options.cooldownMs)) return this.#reading;
    this.#askedAt = now;
    this.#reading = readKeys(this.#issuer, AbortSignal.timeout(this.#options.timeoutMs))
      .then(
        (keys) => {
          this.#known = { keys, at: now };
          this.#fault = undefined;
        },
        (error: unknown) => {
          this.#fault = error;
        },
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

/** Asks an issuer for its keys, where its metadata says. @throws if it does not answer as it should. */
async function readKeys(issuer: string, signal: AbortSignal): Promise<JWTVerifyGetKey> {
  const read = async (url: string): Promise<unknown> => {
    const response = await fetch(url, { redirect: 'error', signal });
    if (!response.ok) throw new Error(`it answers with ${response.status}`);
    return response.json();
  };
  const { issuer: told, jwks_uri } = metadata.parse(
    await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`),
  );
  if (told !== issuer) throw new Error(`it calls itself ${told}`);
  if (new URL(jwks_uri).protocol !== 'https:' && new URL(issuer).protocol === 'https:')
    throw new Error('its keys are not at https');
  return createLocalJWKSet((await read(jwks_uri)) as JSONWebKeySet);
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
