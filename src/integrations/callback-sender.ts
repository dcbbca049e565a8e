import type { IncomingMessage } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { LIMITS } from '../contracts/budgets.ts';
import type { CallbackMessage } from '../contracts/endings/callback-workflow.ts';
import type { CallbackAnswer } from '../domain/endings/callback-answer.ts';
import { hostOf } from '../domain/endings/callback-url.ts';
import { type Address, AddressRefused, checkedAddresses, type Resolve, requestFrom } from './checked-addresses.ts';

export interface CallbackSenderOptions {
  /** `whsec_...`; each signs. None: callbacks carry no signature. */
  secrets: readonly string[];
  /** Hosts that may have any address. */
  allowedHosts: readonly string[];
  /** Longest a try may take, from the resolver to the end of the answer. Default 15 s. */
  timeoutMs?: number;
  /** All addresses of a name. Default: the system's resolver. */
  resolve?: Resolve;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** Longest that a request waits for the name of its callback to be resolved. */
const RESOLVE_TIMEOUT_MS = 2_000;
const MOST_RESOLVING = 2;

/** What a receiver wants that other callbacks do not have. */
export interface OwnManner {
  /** `whsec_...`; signs in place of the sender's secrets. */
  secret: string;
  headers: Record<string, string>;
  contentType: string;
}

/** Sends callbacks as Standard Webhooks 1.0 wants them, to addresses of the public internet only. */
export class CallbackSender {
  readonly #signers: readonly Webhook[];
  readonly #allowedHosts: ReadonlySet<string>;
  readonly #timeoutMs: number;
  readonly #resolve: Resolve | undefined;
  #resolving = 0;

  constructor({ secrets, allowedHosts, timeoutMs = DEFAULT_TIMEOUT_MS, resolve }: CallbackSenderOptions) {
    this.#signers = secrets.map((secret) => new Webhook(secret));
    this.#allowedHosts = new Set(allowedHosts);
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
  }

  /** Sends once and follows no redirect. Without an answer, returns the reason, which never contains the URL. */
  async send(target: string, message: CallbackMessage, own?: OwnManner): Promise<CallbackAnswer> {
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

  /** The addresses of a host that may be called. @throws {AddressRefused} where there is none. */
  addressesOf(host: string): Promise<Address[]> {
    const policy = { allowedHosts: this.#allowedHosts, setting: 'CALLBACK_ALLOWED_HOSTS', resolve: this.#resolve };
    return checkedAddresses(host, policy);
  }

  /**
   * Why no callback could go to a host now; undefined where one could. Also undefined where its name cannot be resolved, or not in
   * time: it may exist later or elsewhere, and each try looks again. At most two names are resolved at once, since the system's
   * resolver holds one of Node's few threads for each; others are not looked at.
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

/** The first bytes of a body. If it breaks off or takes too long, that does not matter: the status is known. */
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
    // What came is enough.
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
