import type { ForgeResponse } from '../../../domain/github/response.ts';

/**
 * Converts Octokit's error to a response. Octokit throws responses that are not a success, and wraps network failures as status 500 without
 * a response.
 */
export function responseOf(error: unknown): ForgeResponse {
  const { response } = error as {
    response?: { status: number; headers: Record<string, string | undefined>; data: unknown };
  };
  if (response) return { status: response.status, headers: response.headers, body: response.data };
  const { code, message } = rootCause(error);
  return { code, message };
}

function rootCause(error: unknown): { code: string; message: string } {
  let message = 'unknown failure';
  let code = 'UNKNOWN';
  for (
    let at = error as { code?: unknown; message?: string; name?: string; cause?: unknown } | undefined;
    at;
    at = at.cause as typeof at
  ) {
    if (at.message) message = at.message;
    if (typeof at.code === 'string') code = at.code;
    else if (at.name === 'TimeoutError') code = 'TIMEOUT';
  }
  return { code, message };
}
