/**
 * An open port of this machine can be reached by its own programs, and by any web page that its user opens: browsers send requests to
 * loopback for pages of every site. The functions below tell pages from programs.
 */

/** A header of a request, by its name in lower case. */
export type HeaderOf = (name: string) => string | undefined;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Says whether an address to bind to can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/**
 * Returns what to say about a request that addresses the server by a name that neither means this machine nor is in TRUSTED_HOSTS. A page
 * whose name resolves to loopback (DNS rebinding) looks like the server's own page in everything but this.
 */
export function hostFault(header: HeaderOf, trusted: readonly string[]): string | undefined {
  const host = (header('host') ?? '').replace(/:\d+$/, '');
  if (isLoopback(host) || trusted.includes(host.replace(/^\[|\]$/g, '').toLowerCase())) return undefined;
  return `requests to "${host.slice(0, 100)}" are refused; use 127.0.0.1 or add the name to TRUSTED_HOSTS`;
}

/** Returns the header that shows that a page of another site sent the request, if one does. Programs send neither header. */
export function foreignHeader(header: HeaderOf): 'sec-fetch-site' | 'origin' | undefined {
  const site = header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'sec-fetch-site';
  const origin = header('origin');
  return origin !== undefined && URL.parse(origin)?.host !== header('host') ? 'origin' : undefined;
}

/** Says whether a page of another site sends a request by itself. A link that a person follows is allowed. */
export function sentByForeignPage(method: string, header: HeaderOf): boolean {
  if (foreignHeader(header) === undefined) return false;
  const reads = method === 'GET' || method === 'HEAD';
  return !(reads && header('sec-fetch-mode') === 'navigate' && header('sec-fetch-dest') === 'document');
}
