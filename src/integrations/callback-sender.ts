import type { IncomingMessage } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { LIMITS } from '../contracts/budgets.ts';
import type { CallbackMessage } from '../contracts/endings/callback-workflow.ts';
import { NO_TRACING, type Tracing } from '../contracts/tracing/tracing.ts';
import type { CallbackAnswer } from '../domain/endings/callback-answer.ts';
import { hostOf } from '../domain/endings/callback-url.ts';
import { type Address, AddressRefused, checkedAddresses, type Resolve, requestFrom } from './checked-addresses.ts';

export interface CallbackSenderOptions {
  /** `whsec_...`. Each signs. None: callbacks have no signature. */
  secrets: readonly string[];
  /** Hosts that may have any address. */
  allowedHosts: readonly string[];
  /** How long an attempt may take, from resolving the name to the end of the response. Default 15 s. */
  timeoutMs?: number;
  /** Resolves all addresses of a name. Default: the system's resolver. */
  resolve?: Resolve;
  /** Reports each attempt as a span, and sends the trace along. Left out: nothing is traced. */
  tracing?: Tracing;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** How long a request waits while the name of its callback is resolved. */
const RESOLVE_TIMEOUT_MS = 2_000;
const MOST_RESOLVING = 2;

/** The differences of one receiver's messages from other callbacks. */
export interface OwnManner {
  /** `whsec_...`. It signs instead of the sender's secrets. */
  secret: string;
  headers: Record<string, string>;
  contentType: string;
}

/** Sends callbacks as Standard Webhooks 1.0 requires, and only to public addresses. */
export class CallbackSender {
  readonly #signers: readonly Webhook[];
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #timeoutMs: number;
  readonly #resolve: Resolve | undefined;
  readonly #tracing: Tracing;
  #resolving = 0;

  constructor({
    secrets,
    allowedHosts,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    resolve,
    tracing = NO_TRACING,
  }: CallbackSenderOptions) {
    this.#signers = secrets.map((secret) => new Webhook(secret));
    this.#allowedHosts = new Set(allowedHosts);
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    this.#tracing = tracing;
  }

  /** Sends once and follows no redirect. If there is no response, returns the reason, which never contains the URL. */
  send(target: string, message: CallbackMessage, own?: OwnManner): Promise<CallbackAnswer> {
    // The URL is the user's secret, so the span does not name it.
    const start = { name: 'POST callback', kind: 'client', attributes: { 'http.request.method': 'POST' } } as const;
    return this.#tracing.within(start, async (span) => {
      const answer = await this.#send(target, message, own);
      if (answer.status === null) span.fail('no_answer');
      else span.set({ 'http.response.status_code': answer.status });
      if (answer.status !== null && answer.status >= 400) span.fail(String(answer.status));
      return answer;
    });
  }

  async #send(target: string, message: CallbackMessage, own: OwnManner | undefined): Promise<CallbackAnswer> {
    const url = new URL(target);
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const addresses = await inTime(this.addressesOf(hostOf(url)), signal);
      const options = { method: 'POST', headers: this.#headersOf(message, own), signal };
      const answer = await requestFrom(addresses, url, options, message.body);
      const retryAfter = answer.headers['retry-after'];
      return { status: answer.statusCode ?? 0, retryAfter, body: await readStart(answer) };
    } catch (error) {
      return { status: null, reason: this.#reasonOf(error, signal) };
    }
  }

  /** Returns the addresses of a host that may be called. @throws {AddressRefused} if it has none. */
  addressesOf(host: string): Promise<Address[]> {
    const policy = { allowedHosts: this.#allowedHosts, setting: 'CALLBACK_ALLOWED_HOSTS', resolve: this.#resolve };
    return checkedAddresses(host, policy);
  }

  /**
   * Says why no callback could go to a host now; undefined if one could. Also undefined if its name cannot be resolved, or not in time: it
   * may exist later or elsewhere, and each attempt resolves it again. At most two names are resolved at once, because each occupies one of
   * Node's few threads. Further hosts are not checked.
   */
  async refusalOf(host: string): Promise<string | undefined> {
    if (this.#resolving >= MOST_RESOLVING) return undefined;
    this.#resolving += 1;
    const resolving = this.addressesOf(host).finally(() => (this.#resolving -= 1));
    try {
      await inTime(resolving, AbortSignal.timeout(RESOLVE_TIMEOUT_MS));
      return undefined;
    } catch (error) {
      return error instanceof AddressRefused ? error.message : undefined;
    }
  }

  #headersOf({ webhook_id, body }: CallbackMessage, own: OwnManner | undefined): Record<string, string> {
    const sentAt = new Date();
    const signers = own ? [new Webhook(own.secret)] : this.#signers;
    return {
      ...this.#tracing.carrier(),
      ...own?.headers,
      'content-type': own?.contentType ?? 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'hapax',
      'webhook-id': webhook_id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
      ...(signers.length > 0
        ? { 'webhook-signature': signers.map((signer) => signer.sign(webhook_id, sentAt, body)).join(' ') }
        : {}),
    };
  }

  #reasonOf(error: unknown, signal: AbortSignal): string {
    if (error instanceof AddressRefused) return error.message;
    if (signal.aborted) return `no answer within ${this.#timeoutMs / 1_000} s`;
    return `no answer (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}

/** Reads the first bytes of a body. It does not matter if the body breaks off or takes too long: the status is known. */
async function readStart(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= LIMITS.callbacks.answerBytes) break;
    }
  } catch {
    // The part that arrived is enough.
  }
  answer.destroy();
  return Buffer.concat(chunks).subarray(0, LIMITS.callbacks.answerBytes).toString('utf8');
}

function inTime<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
