import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { UserError } from '../laptop/user-error.ts';
import { databaseFault } from '../store/database.ts';

/** For a role that cannot begin without the Postgres of DATABASE_URL. @throws {UserError} where that is away, else the error. */
export function orDatabaseAway(url: string): (error: unknown) => never {
  return (error) => {
    const fault = databaseFault(error);
    if (fault?.kind !== 'away') throw error;
    const host = url.replace(/^\w+:\/\/(?:[^/?]*@)?([^/?]*).*$/, '$1');
    throw new UserError(`the database at ${host} (DATABASE_URL) cannot be used: ${fault.message}`);
  };
}

/** The same of the Temporal server of TEMPORAL_ADDRESS. */
export function orTemporalAway(address: string): (error: unknown) => never {
  return (error) => {
    const cause = error instanceof ServiceError ? error.cause : error;
    if (!isGrpcServiceError(cause)) throw error;
    throw new UserError(`Temporal at ${address} (TEMPORAL_ADDRESS) cannot be used: ${cause.details.split('\n', 1)[0]}`);
  };
}
