import type { Logger } from 'pino';
import { Gate, type VerifyToken } from '../commands/keys/gate.ts';
import type { Settings } from '../contracts/settings.ts';
import type { Db } from '../store/database.ts';

/** Creates the gate that identifies callers, from the settings of a process. @param verify verifies tokens, if OIDC_RULES admits any. */
export function gateOf(
  {
    API_KEYS: environmentKeys,
    OIDC_RULES: rules,
    SIGN_IN_ISSUER: issuer,
    SIGN_IN_RULES: people,
  }: Pick<Settings, 'API_KEYS' | 'OIDC_RULES' | 'SIGN_IN_ISSUER' | 'SIGN_IN_RULES'>,
  { db, log, verify }: { db: Db; log: Logger; verify?: VerifyToken | undefined },
): Gate {
  return new Gate({
    db,
    log,
    environmentKeys,
    oidc: rules && verify ? { rules, verify } : undefined,
    people: issuer && people ? { issuer, rules: people } : undefined,
  });
}
