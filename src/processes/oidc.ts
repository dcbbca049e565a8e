import { CONSOLE_PATH } from '../api/console.ts';
import type { VerifyToken } from '../commands/keys/gate.ts';
import type { Settings } from '../contracts/settings.ts';
import { PeopleProvider } from '../integrations/oidc/people-provider.ts';
import { TokenVerifier } from '../integrations/oidc/token-verifier.ts';

/** Where people sign in to the console; undefined where SIGN_IN_ISSUER is not set. */
export function peopleProviderOf(settings: Settings): PeopleProvider | undefined {
  const { SIGN_IN_ISSUER: issuer, SIGN_IN_CLIENT_ID: clientId, PUBLIC_URL: publicUrl } = settings;
  if (!issuer || !clientId || !publicUrl) return undefined;
  const { SIGN_IN_CLIENT_SECRET: clientSecret, SIGN_IN_SCOPES: scope } = settings;
  return new PeopleProvider({ issuer, clientId, clientSecret, scope, consoleUrl: `${publicUrl}${CONSOLE_PATH}` });
}

/** Verifies the tokens that OIDC_RULES is about; undefined where it is not set. */
export function verifyTokenOf({
  OIDC_RULES: rules,
  OIDC_AUDIENCE: audience,
}: Pick<Settings, 'OIDC_RULES' | 'OIDC_AUDIENCE'>): VerifyToken | undefined {
  if (!rules || !audience) return undefined;
  const verifier = new TokenVerifier({ issuers: new Set(rules.map(({ issuer }) => issuer)), audience });
  return (token) => verifier.verify(token);
}
