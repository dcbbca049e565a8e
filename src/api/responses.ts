import { Refusal } from '../commands/refusal.ts';
import { PROBLEMS, type ProblemCode, problem } from '../contracts/problem.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';

/** What may be wrong with asking for something to be done about a build, a task or a dead letter. */
export const OPERATION_PROBLEMS = [
  'malformed_json',
  'invalid_request',
  'not_found',
  'state_conflict',
  'not_supported',
  'body_too_large',
  'unsupported_media_type',
  'temporal_unavailable',
  'database_unavailable',
] as const satisfies ProblemCode[];

/** What may be wrong with asking for something to be done about many. */
export const MANY_PROBLEMS = [
  'malformed_json',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
  'temporal_unavailable',
  'database_unavailable',
] as const satisfies ProblemCode[];

/** A request about many begins nothing after this time: clients wait for a minute at most. */
export const MANY_WITHIN_MS = 20_000;

/** The responses of a route's problems, for its OpenAPI description, with what is refused before it. */
export function problemResponses(...codes: ProblemCode[]) {
  return openProblemResponses(
    ...codes,
    'unauthorized',
    'forbidden',
    'forbidden_host',
    'rate_limited',
    'issuer_unavailable',
  );
}

/** The same of a route that the guard lets everybody reach. */
export function openProblemResponses(...codes: ProblemCode[]) {
  const all = [...codes, 'head_too_large' as const, 'internal' as const];
  const byStatus = Map.groupBy(new Set(all), (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => {
      const description = same.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join('; ');
      const example = problemOf(new Refusal(same[0]!), '5c1d5e0a-4a3c-4f0e-9b0a-0c8f5a6f1e2d');
      return [status, { description, content: { [PROBLEM_JSON]: { schema: problem, example } } }];
    }),
  );
}
