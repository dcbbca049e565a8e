import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { UserError } from '../laptop/user-error.ts';
import { databaseFault } from '../store/database.ts';
import { NoLock } from '../store/migrate.ts';

/** The Postgres of DATABASE_URL, as messages name it: without the login. */
export function databaseAt(url: string): string {
  return `the database at ${url.replace(/^\w+:\/\/(?:[^/?]*@)?([^/?]*).*$/, '$1')} (DATABASE_URL)`;
}

/** The server of TEMPORAL_ADDRESS, as messages name it. */
export function temporalAt(address: string): string {
  return `Temporal at ${address} (TEMPORAL_ADDRESS)`;
}

/**
 * For a role that cannot begin without the Postgres of DATABASE_URL.
 * @throws {UserError} where that is away, or too busy to be migrated, else the error.
 */
export function orDatabaseAway(url: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof NoLock) throw new UserError(error.message);
    const fault = databaseFault(error);
    if (fault?.kind !== 'away') throw error;
    throw new UserError(`${databaseAt(url)} cannot be used: ${fault.message}`);
  };
}

/** The same of the Temporal server of TEMPORAL_ADDRESS. */
export function orTemporalAway(address: string): (error: unknown) => never {
  return (error) => {
    const cause = error instanceof ServiceError ? error.cause : error;
    if (!isGrpcServiceError(cause)) throw error;
    throw new UserError(`${temporalAt(address)} cannot be used: ${cause.details.split('\n', 1)[0]}`);
  };
}
