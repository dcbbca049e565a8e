import { invalidRequest } from '../commands/refusal.ts';

/** Refuses filters that know only the present if the query asks for the past. @throws {Refusal} 400 */
export function refuseWithAt(at: string | undefined, filters: Record<string, unknown>): void {
  const given = Object.keys(filters).filter((name) => filters[name] !== undefined);
  if (at === undefined || given.length === 0) return;
  throw invalidRequest(given.map((name) => ({ path: `query.${name}`, message: 'cannot be combined with at' })));
}
