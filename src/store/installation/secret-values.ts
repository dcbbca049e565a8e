import { DrizzleQueryError } from 'drizzle-orm';

/** What a query gives. If it fails, its error goes without the values of the query: they are secrets, and errors are logged. */
export async function withoutValues<Result>(query: PromiseLike<Result>): Promise<Result> {
  try {
    return await query;
  } catch (error) {
    if (!(error instanceof DrizzleQueryError)) throw error;
    throw new DrizzleQueryError(error.query, [], error.cause);
  }
}
