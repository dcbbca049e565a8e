import { type ZodType, z } from 'zod';
import { Refusal } from '../commands/refusal.ts';
import { PROBLEMS, type ProblemCode, problem } from '../contracts/problem.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';

/** Problems of requests with a JSON body. */
export const BODY_PROBLEMS = [
  'malformed_json',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies ProblemCode[];

/** Problems of a POST that needs no body. */
export const NO_BODY_PROBLEMS = [
  'invalid_request',
  'cross_site',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies ProblemCode[];

/** Problems of requests that operate on many. */
export const MANY_PROBLEMS = [...BODY_PROBLEMS, 'temporal_unavailable', 'database_unavailable'] as const;

/** Problems of requests that operate on a build, a task or a dead letter. */
export const OPERATION_PROBLEMS = [...MANY_PROBLEMS, 'not_found', 'state_conflict', 'not_supported'] as const;

/** Problems of requests that start something again that has ended. */
export const RESTART_PROBLEMS = [...OPERATION_PROBLEMS, 'still_closing'] as const satisfies ProblemCode[];

/** Returns a required JSON body, for the definition of a route. */
export function jsonBody<Schema extends ZodType>(schema: Schema) {
  return { required: true, ...optionalJsonBody(schema) };
}

/** Returns a JSON body that may be missing. */
export function optionalJsonBody<Schema extends ZodType>(schema: Schema) {
  return { content: { 'application/json': { schema } } };
}

/** Returns a response with a JSON body. */
export function jsonResponse<Schema extends ZodType>(
  description: string,
  schema: Schema,
  headers?: Record<string, ZodType>,
) {
  return { description, ...(headers && { headers: z.object(headers) }), ...optionalJsonBody(schema) };
}

/** Returns the header that says where something is. */
export function locationHeader(what: string) {
  return z.string().meta({ description: `URL of ${what}.` });
}

/** Returns the responses for a route's problems and for those of the checks before it. */
export function problems(...codes: ProblemCode[]) {
  return openProblems(...codes, 'unauthorized', 'forbidden', 'forbidden_host', 'rate_limited', 'issuer_unavailable');
}

/** Returns the same for a route that needs no key. */
export function openProblems(...codes: ProblemCode[]) {
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
