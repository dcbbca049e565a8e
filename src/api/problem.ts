import type { Refusal } from '../commands/refusal.ts';
import { PROBLEMS, type Problem } from '../contracts/problem.ts';

/** Media type of RFC 9457. */
export const PROBLEM_JSON = 'application/problem+json';

/** Returns the problem document that a client gets for a refusal. */
export function problemOf({ code, detail, errors }: Refusal, requestId: string): Problem {
  const { status, title } = PROBLEMS[code];
  return {
    type: `urn:hapax:problem:${code}`,
    title,
    status,
    ...(detail ? { detail } : {}),
    code,
    request_id: requestId,
    ...(errors ? { errors } : {}),
  };
}
