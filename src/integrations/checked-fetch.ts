import { Readable } from 'node:stream';
import type { OwnFetchInit } from '../contracts/tasks/own-task.ts';
import { hostOf } from '../domain/endings/callback-url.ts';
import { checkedAddresses, type Resolve, requestFrom } from './checked-addresses.ts';

export interface CheckedFetchOptions {
  /** Hosts that may have any address. */
  allowedHosts: readonly string[];
  /** Resolves all addresses of a name. Default: the system's resolver. */
  resolve?: Resolve;
}

export type CheckedFetch = (url: string | URL, init: OwnFetchInit & { signal: AbortSignal }) => Promise<Response>;

const MOST_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses of responses without a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Returns a `fetch` that calls only public addresses, wherever a name or a redirect leads. Each request has its own connection. Responses
 * are not decompressed.
 * @throws {AddressRefused} if a host has no such address. @throws {TypeError} if the server answers with a status outside 200..599.
 */
export function checkedFetch({ allowedHosts, resolve }: CheckedFetchOptions): CheckedFetch {
  const policy = { allowedHosts: new Set(allowedHosts), setting: 'TASK_ALLOWED_HOSTS', resolve };
  return async (given, { method = 'GET', headers = {}, body, signal, redirect = 'follow' }) => {
    const follows = redirect === 'follow' && (method === 'GET' || method === 'HEAD');
    let url = new URL(given);
    for (let redirects = 0; ; redirects++) {
      if (!/^https?:$/.test(url.protocol)) throw new TypeError(`${url.protocol}// cannot be fetched`);
      const addresses = await checkedAddresses(hostOf(url), policy);
      signal.throwIfAborted();
      const answer = await requestFrom(addresses, url, { method, headers, signal }, body);
      const { statusCode: status = 0, statusMessage: statusText = '' } = answer;
      if (status < 200 || status > 599) {
        answer.destroy();
        throw new TypeError(`the server answers with the status ${status}, which a Response cannot have`);
      }
      const next = REDIRECTS.has(status) && answer.headers.location;
      if (!next || !follows) {
        const responseHeaders = new Headers();
        for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
          for (const value of values) responseHeaders.append(name, value);
        }
        const hasBody = !BODILESS.has(status) && method !== 'HEAD';
        if (!hasBody) answer.resume();
        return new Response(hasBody ? (Readable.toWeb(answer) as ReadableStream) : null, {
          ...{ status, statusText, headers: responseHeaders },
        });
      }
      answer.destroy();
      if (redirects === MOST_REDIRECTS) throw new TypeError(`more than ${MOST_REDIRECTS} redirects`);
      const target = new URL(next, url);
      // Credentials are only for the host that they were given for.
      if (target.origin !== url.origin) headers = withoutCredentials(headers);
      url = target;
    }
  };
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(authorization|cookie)$/i.test(name)));
}
