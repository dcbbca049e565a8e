import type { SignInRule } from '../../contracts/keys/sign-in-settings.ts';
import type { Grant } from './grant.ts';
import { type Claims, grantOfToken } from './oidc-grant.ts';

/** Longest name that is shown. */
const NAME_CHARACTERS = 200;

/** What the first rule that matches grants to a person; undefined where none does. @param issuer that lets people in. */
export function grantOfPerson(rules: readonly SignInRule[], issuer: string, claims: Claims): Grant | undefined {
  if (URL.parse(claims.iss)?.href !== URL.parse(issuer)?.href) return undefined;
  return grantOfToken(
    rules.map((rule) => ({ ...rule, issuer: claims.iss })),
    claims,
  );
}

/**
 * What is kept of a person's claims: who it is, and what the rules look at. An address that nobody has verified is left out: at
 * some providers people enter any address.
 */
export function claimsKept(rules: readonly SignInRule[], claims: Claims): Claims {
  const named = new Set(rules.flatMap((rule) => Object.keys(rule.claims)));
  if (!isVerified(claims)) named.delete('email');
  const kept = [...named].flatMap((name) => (Object.hasOwn(claims, name) ? [[name, claims[name]] as const] : []));
  return { ...Object.fromEntries(kept), iss: claims.iss, sub: claims.sub };
}

/** What a person is called on pages; in the record it is the `sub`, which never changes hands. */
export function nameOfPerson(claims: Claims): string {
  const { preferred_username, email, name } = claims;
  const given = [preferred_username, email, name].find((one) => typeof one === 'string' && one.trim() !== '');
  return String(given ?? claims.sub).slice(0, NAME_CHARACTERS);
}

function isVerified({ email_verified: verified }: Claims): boolean {
  return verified === true || verified === 'true';
}
