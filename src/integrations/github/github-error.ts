import { type Arrived, type GitHubResponse, messageOf, rateLimitWait } from '../../domain/github/response.ts';

/** Thrown where GitHub did not do what was asked; `retryAfterMs` is how long it wants us to wait, if it said so. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError';
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, status?: number, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @throws {GitHubError} where no response arrived, or it is no success. */
export async function expectSuccess(responding: GitHubResponse | Promise<GitHubResponse>): Promise<Arrived> {
  const response = await responding;
  if ('code' in response) {
    if (response.wait_ms !== undefined)
      throw new GitHubError(response.message, undefined, response.wait_ms ?? undefined);
    throw new GitHubError(`GitHub did not answer: ${response.message}`);
  }
  const { status, headers, body, trouble } = response;
  if (status >= 200 && status < 300) return response;
  throw new GitHubError(
    trouble?.reason ?? `GitHub answered ${status}: ${messageOf(body)}`,
    status,
    rateLimitWait(status, headers, body, Date.now()),
  );
}
