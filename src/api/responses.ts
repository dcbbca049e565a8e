import { Refusal } from '../commands/refusal.ts';
import { PROBLEMS, type ProblemCode, problem } from '../contracts/problem.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';

/** Problems of requests that operate on a build, a task or a dead letter. */
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

/** Problems of requests that operate on many. */
export const MANY_PROBLEMS = [
  'malformed_json',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
  'temporal_unavailable',
  'database_unavailable',
] as const satisfies ProblemCode[];

/** Returns the responses for a route's problems and for those of the checks before it, for its OpenAPI description. */
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

/** Returns the same for a route that needs no key. */
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
