import { LIMITS } from '../contracts/budgets.ts';
import { PROBLEMS, type ProblemCode } from '../contracts/problem.ts';

export interface RefusalOptions {
  /** For the user: what happened and what to do, in one line. */
  detail?: string;
  errors?: Array<{ path: string; message: string }>;
  /** When to try again. */
  retryAfterSeconds?: number;
  /** For the operator. It goes to the log, never to the user. */
  cause?: unknown;
}

/** Who is at fault: the request; something that is away, so that the same request may succeed later; or Hapax itself. */
export type RefusalKind = 'request' | 'unavailable' | 'internal';

/** Why a command was not carried out. HTTP, Flower and the bridge each translate its code into their own terms. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly errors: RefusalOptions['errors'];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, { detail, errors, retryAfterSeconds, cause }: RefusalOptions = {}) {
    super(detail ?? PROBLEMS[code].title, { cause });
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get kind(): RefusalKind {
    switch (this.code) {
      case 'temporal_unavailable':
      case 'database_unavailable':
      case 'forge_unavailable':
      case 'issuer_unavailable':
      case 'too_many_streams':
      case 'still_closing':
        return 'unavailable';
      case 'internal':
        return 'internal';
      default:
        return 'request';
    }
  }
}

/** Returns the refusal of a request that is not valid, with the place of every fault. */
export function invalidRequest(errors: NonNullable<RefusalOptions['errors']>): Refusal {
  const { faults, faultCharacters } = LIMITS.requests;
  const named = errors.slice(0, faults).map(({ path, message }) => ({
    path: path.slice(0, faultCharacters).toWellFormed(),
    message: message.slice(0, faultCharacters).toWellFormed(),
  }));
  const detail = named.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new Refusal('invalid_request', { detail: detail.slice(0, 500).toWellFormed(), errors: named });
}

/** Returns the refusal of a command about something that does not exist. @param what its name for people, such as `build 12`. */
export function notFound(what: string): Refusal {
  return new Refusal('not_found', { detail: `there is no ${what}` });
}
