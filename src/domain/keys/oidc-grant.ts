import type { OidcRule } from '../../contracts/keys/oidc-settings.ts';
import type { Grant } from './grant.ts';

/** Claims of a verified token. */
export type Claims = Readonly<Record<string, unknown>> & { iss: string; sub: string };

/** Returns what the first matching rule grants to the bearer of a token; undefined if none matches. */
export function grantOfToken(rules: readonly OidcRule[], claims: Claims): Grant | undefined {
  const rule = rules.find((one) => matches(one, claims));
  if (!rule) return undefined;
  return {
    caller: `oidc:${claims.sub}@${claims.iss.replace(/^https?:\/\//, '')}`,
    rights: rule.rights,
    repositories: rule.repositories?.map((pattern) => filled(pattern, claims)) ?? null,
    queues: rule.queues ?? null,
    requests_per_minute: rule.requests_per_minute ?? null,
    builds_in_flight: rule.builds_in_flight ?? null,
    tasks_in_flight: rule.tasks_in_flight ?? null,
    ...(typeof claims.exp === 'number' ? { expiresAt: claims.exp * 1_000 } : {}),
  };
}

/** Says whether all claims of a rule hold. Of several patterns, one must fit; of a claim with several values, one. */
function matches({ issuer, claims: wanted }: OidcRule, claims: Claims): boolean {
  if (claims.iss !== issuer) return false;
  return Object.entries(wanted).every(([name, patterns]) => {
    const values = [Object.hasOwn(claims, name) ? claims[name] : undefined].flat().map(asText);
    return values.some((value) => value !== undefined && [patterns].flat().some((pattern) => fits(pattern, value)));
  });
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** Says whether a value fits a pattern. `*` stands for any characters, and everything else for itself, case included. */
function fits(pattern: string, value: string): boolean {
  const parts = pattern.split('*');
  const [first = ''] = parts;
  if (parts.length === 1) return value === pattern;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const last = parts.at(-1)!;
  return value.length - at >= last.length && value.endsWith(last);
}

/** Fills a pattern with the claim that it names. A token without a repository reaches none. */
function filled(pattern: string, { repository }: Claims): string {
  return pattern === '{repository}' ? String(repository ?? '') : pattern;
}
