import { CONSOLE_PATH } from '../api/console.ts';
import type { VerifyToken } from '../commands/keys/gate.ts';
import type { Settings } from '../contracts/settings.ts';
import type { PeopleProvider } from '../integrations/oidc/people-provider.ts';

// Both libraries, 7 MB, are loaded only where they are used.

/** Returns the provider with which people sign in to the console; undefined if SIGN_IN_ISSUER is not set. */
export async function peopleProviderOf(settings: Settings): Promise<PeopleProvider | undefined> {
  const { SIGN_IN_ISSUER: issuer, SIGN_IN_CLIENT_ID: clientId, PUBLIC_URL: publicUrl } = settings;
  if (!issuer || !clientId || !publicUrl) return undefined;
  const { SIGN_IN_CLIENT_SECRET: clientSecret, SIGN_IN_SCOPES: scope } = settings;
  const { PeopleProvider } = await import('../integrations/oidc/people-provider.ts');
  return new PeopleProvider({ issuer, clientId, clientSecret, scope, consoleUrl: `${publicUrl}${CONSOLE_PATH}` });
}

/** Returns the verifier of the tokens that OIDC_RULES covers; undefined if that is not set. */
export async function verifyTokenOf({
  OIDC_RULES: rules,
  OIDC_AUDIENCE: audience,
}: Pick<Settings, 'OIDC_RULES' | 'OIDC_AUDIENCE'>): Promise<VerifyToken | undefined> {
  if (!rules || !audience) return undefined;
  const { TokenVerifier } = await import('../integrations/oidc/token-verifier.ts');
  const verifier = new TokenVerifier({ issuers: new Set(rules.map(({ issuer }) => issuer)), audience });
  return (token) => verifier.verify(token);
}
