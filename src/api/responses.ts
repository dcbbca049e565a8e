import { PROBLEMS, type ProblemCode, problem } from '../contracts/problem.ts';
import { PROBLEM_JSON } from './problem.ts';

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

/** The responses of a route's problems, for its OpenAPI description, with what the guard before it may answer. */
export function problemResponses(...codes: ProblemCode[]) {
  return openProblemResponses(...codes, 'unauthorized', 'forbidden_host');
}

/** The same of a route that the guard lets everybody reach. */
export function openProblemResponses(...codes: ProblemCode[]) {
  const byStatus = new Map<number, string[]>();
  for (const code of [...codes, 'head_too_large' as const, 'internal' as const]) {
    const { status, title } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${title} (\`${code}\`)`]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, descriptions]) => [
      status,
      { description: descriptions.join('; '), content: { [PROBLEM_JSON]: { schema: problem } } },
    ]),
  );
}
