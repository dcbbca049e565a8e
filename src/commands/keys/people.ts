import type { SignInRule } from '../../contracts/keys/sign-in-settings.ts';
import type { Claims } from '../../domain/keys/oidc-grant.ts';

/** Which people get in, and to what. */
export interface People {
  issuer: string;
  rules: readonly SignInRule[];
}

/** A sign-in that has begun; the browser keeps it until it comes back. */
export interface BegunSignIn {
  state: string;
  nonce: string;
  verifier: string;
}

/** The OpenID provider that knows the people. */
export interface PeopleProvider {
  /** Whether browsers reach the console by TLS. */
  readonly secure: boolean;
  /** Where a browser goes to sign in; `away` says why the provider does not answer. */
  begin(): Promise<{ url: string; begun: BegunSignIn } | { away: string }>;
  /** Who came back. @param query of the request that the provider sent the browser with. */
  finish(
    query: URLSearchParams,
    begun: BegunSignIn,
  ): Promise<{ claims: Claims } | { fault: string } | { away: string }>;
  /** Where a browser goes to sign out of the provider; undefined where it has no such page, or was not asked yet. */
  signOutUrl(): string | undefined;
}
