import { PROBLEMS, type ProblemCode, problem } from '../contracts/problem.ts';
import { PROBLEM_JSON } from './problem.ts';

/** The responses of a route's problems, for its OpenAPI description. */
export function problemResponses(...codes: ProblemCode[]) {
  const byStatus = new Map<number, string[]>();
  for (const code of [...codes, 'internal' as const]) {
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
