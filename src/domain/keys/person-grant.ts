import type { SignInRule } from '../../contracts/keys/sign-in-settings.ts';
import type { Grant } from './grant.ts';
import { type Claims, grantOfToken } from './oidc-grant.ts';

/** How many characters of a name are shown. */
const NAME_CHARACTERS = 200;

/** Returns what the first matching rule grants to a person; undefined if none matches. @param issuer that lets people in. */
export function grantOfPerson(rules: readonly SignInRule[], issuer: string, claims: Claims): Grant | undefined {
  if (URL.parse(claims.iss)?.href !== URL.parse(issuer)?.href) return undefined;
  return grantOfToken(
    rules.map((rule) => ({ ...rule, issuer: claims.iss })),
    claims,
  );
}

/**
 * Returns the claims of a person that are kept: who it is, and the claims that the rules use. Leaves out an email address that nobody
 * has verified: at some providers, people can enter any address.
 */
export function claimsKept(rules: readonly SignInRule[], claims: Claims): Claims {
  const named = new Set(rules.flatMap((rule) => Object.keys(rule.claims)));
  if (!isVerified(claims)) named.delete('email');
  const kept = [...named].flatMap((name) => (Object.hasOwn(claims, name) ? [[name, claims[name]] as const] : []));
  return { ...Object.fromEntries(kept), iss: claims.iss, sub: claims.sub };
}

/** Returns the name of a person on pages. The record has the `sub`, which never changes hands. */
export function nameOfPerson(claims: Claims): string {
  const { preferred_username, email, name } = claims;
  const given = [preferred_username, email, name].find((one) => typeof one === 'string' && one.trim() !== '');
  return String(given ?? claims.sub).slice(0, NAME_CHARACTERS);
}

function isVerified({ email_verified: verified }: Claims): boolean {
  return verified === true || verified === 'true';
}
