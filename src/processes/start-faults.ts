import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { UserError } from '../laptop/user-error.ts';
import { databaseFault } from '../store/database.ts';
import { NoLock } from '../store/migrate.ts';

/** Returns how messages name the Postgres of DATABASE_URL: without the login. */
export function databaseAt(url: string): string {
  return `the database at ${url.replace(/^\w+:\/\/(?:[^/?]*@)?([^/?]*).*$/, '$1')} (DATABASE_URL)`;
}

/** Returns how messages name the server of TEMPORAL_ADDRESS. */
export function temporalAt(address: string): string {
  return `Temporal at ${address} (TEMPORAL_ADDRESS)`;
}

const MAY_NOT_SET_ROLE = /^permission denied to set role/;

/**
 * Handles errors of a process that cannot start without the Postgres of DATABASE_URL.
 * @throws {UserError} if that is away, too busy to be migrated, or refuses DATABASE_ROLE to the login, else the error.
 */
export function orDatabaseAway(url: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof NoLock) throw new UserError(error.message);
    const fault = databaseFault(error);
    const remedy = MAY_NOT_SET_ROLE.test(fault?.message ?? '') ? '; set DATABASE_ROLE= to act as the login itself' : '';
    if (!fault || (fault.kind !== 'away' && remedy === '')) throw error;
    throw new UserError(`${databaseAt(url)} cannot be used: ${fault.message}${remedy}`);
  };
}

/** Does the same for the Temporal server of TEMPORAL_ADDRESS. */
export function orTemporalAway(address: string): (error: unknown) => never {
  return (error) => {
    const cause = error instanceof ServiceError ? error.cause : error;
    if (!isGrpcServiceError(cause)) throw error;
    throw new UserError(`${temporalAt(address)} cannot be used: ${cause.details.split('\n', 1)[0]}`);
  };
}
