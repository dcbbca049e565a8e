import type { Logger } from 'pino';
import { Gate } from '../commands/keys/gate.ts';
import type { Settings } from '../contracts/settings.ts';
import { NO_LIMITS } from '../domain/keys/grant.ts';
import type { Db } from '../store/database.ts';

/** Says who asks, by the settings of a process. */
export function gateOf(settings: Pick<Settings, 'API_KEYS'>, { db, log }: { db: Db; log: Logger }): Gate {
  return new Gate({ db, log, environmentKeys: settings.API_KEYS, limits: NO_LIMITS });
}
