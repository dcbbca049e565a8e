import { type Arrived, type ForgeResponse, messageOf, rateLimitWait } from '../../domain/github/response.ts';

/** Thrown if a forge did not do what was requested. `retryAfterMs` is how long it asks Hapax to wait, if it does. */
export class ForgeError extends Error {
  override readonly name = 'ForgeError';
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, status?: number, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @throws {ForgeError} if no response arrived, or it is not a success. */
export async function expectSuccess(
  responding: ForgeResponse | Promise<ForgeResponse>,
  forge = 'GitHub',
): Promise<Arrived> {
  const response = await responding;
  if ('code' in response) {
    if (response.wait_ms !== undefined)
      throw new ForgeError(response.message, undefined, response.wait_ms ?? undefined);
    throw new ForgeError(`${forge} did not answer: ${response.message}`);
  }
  const { status, headers, body, trouble } = response;
  if (status >= 200 && status < 300) return response;
  throw new ForgeError(
    trouble?.reason ?? `${forge} answered ${status}: ${messageOf(body)}`,
    status,
    rateLimitWait(status, headers, body, Date.now()),
  );
}
