/** The response of an endpoint, before faults change it. */
export interface Answer {
  status: number;
  /** Written as JSON; left out: no body. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** A response that refuses a request, in GitHub's error format. */
export interface Refusal extends Answer {
  body: { message: string; documentation_url: string; status: string };
}

/**
 * @param message GitHub's words
 */
export function refusal(status: number, message: string, headers: Record<string, string> = {}): Refusal {
  return {
    status,
    body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
    headers,
  };
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}
