import { LIMITS } from '../contracts/budgets.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../contracts/problem.ts';

/** Media type of RFC 9457. */
export const PROBLEM_JSON = 'application/problem+json';

export interface ApiErrorOptions {
  /** For the user: what happened and what to do, in one line. */
  detail?: string;
  errors?: Array<{ path: string; message: string }>;
  /** When to try again; becomes `Retry-After`. */
  retryAfterSeconds?: number;
  /** For the operator: goes to the log, never to the user. */
  cause?: unknown;
}

/** A request that is not valid, with the place of every fault. */
export function invalidRequest(errors: NonNullable<ApiErrorOptions['errors']>): ApiError {
  const { faults, faultCharacters } = LIMITS.requests;
  const named = errors.slice(0, faults).map(({ path, message }) => ({
    path: path.slice(0, faultCharacters).toWellFormed(),
    message: message.slice(0, faultCharacters).toWellFormed(),
  }));
  const detail = named.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new ApiError('invalid_request', { detail: detail.slice(0, 500).toWellFormed(), errors: named });
}

/** The 404 of what was looked for and is not there. @param what named for people, as `build 12`. */
export function notFound(what: string): ApiError {
  return new ApiError('not_found', { detail: `there is no ${what}` });
}

/** Thrown anywhere below a route; the API answers with the problem document of its code. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: ApiErrorOptions['errors'];
  readonly retryAfterSeconds: number | undefined;
  constructor(code: ProblemCode, { detail, errors, retryAfterSeconds, cause }: ApiErrorOptions = {}) {
    super(detail ?? PROBLEMS[code].title, { cause });
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The document that the client gets. */
  document(requestId: string): Problem {
    const { status, title } = PROBLEMS[this.code];
    return {
      type: `urn:hapax:problem:${this.code}`,
      title,
      status,
      ...(this.detail ? { detail: this.detail } : {}),
      code: this.code,
      request_id: requestId,
      ...(this.errors ? { errors: this.errors } : {}),
    };
  }
}
