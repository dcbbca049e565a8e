import type { SignInRule } from '../../contracts/keys/sign-in-settings.ts';
import type { Claims } from '../../domain/keys/oidc-grant.ts';

/** The people who are let in, with their rights. */
export interface People {
  issuer: string;
  rules: readonly SignInRule[];
}

/** A sign-in that has begun. The browser keeps it until it returns. */
export interface BegunSignIn {
  state: string;
  nonce: string;
  verifier: string;
}

/** The OpenID provider that knows the people. */
export interface PeopleProvider {
  /** Whether browsers reach the console over TLS. */
  readonly secure: boolean;
  /** Returns where a browser goes to sign in; `away` says why the provider does not respond. */
  begin(): Promise<{ url: string; begun: BegunSignIn } | { away: string }>;
  /** Returns the claims of the person who came back. @param query of the request with which the provider sent the browser back. */
  finish(
    query: URLSearchParams,
    begun: BegunSignIn,
  ): Promise<{ claims: Claims } | { fault: string } | { away: string }>;
  /** Returns where a browser goes to sign out of the provider; undefined if it has no such page, or was not asked yet. */
  signOutUrl(): string | undefined;
}
