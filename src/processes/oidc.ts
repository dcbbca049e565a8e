import type { VerifyToken } from '../commands/keys/gate.ts';
import type { Settings } from '../contracts/settings.ts';
import { TokenVerifier } from '../integrations/oidc/token-verifier.ts';

/** Verifies the tokens that OIDC_RULES is about; undefined where it is not set. */
export function verifyTokenOf({
  OIDC_RULES: rules,
  OIDC_AUDIENCE: audience,
}: Pick<Settings, 'OIDC_RULES' | 'OIDC_AUDIENCE'>): VerifyToken | undefined {
  if (!rules || !audience) return undefined;
  const verifier = new TokenVerifier({ issuers: new Set(rules.map(({ issuer }) => issuer)), audience });
  return (token) => verifier.verify(token);
}
