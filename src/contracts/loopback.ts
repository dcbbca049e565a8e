/**
 * An open port of this machine is reached by its own programs, and by any web page that its user opens: browsers send requests
 * to loopback for pages of every site. These are the marks by which a server tells them from programs.
 */

/** A header of a request, by its name in lower case. */
export type HeaderOf = (name: string) => string | undefined;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether an address to bind to is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** The name under which a request addresses the server, without the port. */
export function hostNameOf(header: HeaderOf): string {
  return (header('host') ?? '').replace(/:\d+$/, '');
}

/**
 * Whether a host name means this machine, or is one of TRUSTED_HOSTS. A page that lets its own name resolve to loopback (DNS
 * rebinding) passes for the server's own page in everything but this.
 */
export function isLocalHost(host: string, trusted: readonly string[]): boolean {
  return isLoopback(host) || trusted.includes(host.replace(/^\[|\]$/g, '').toLowerCase());
}

/** The header by which a request shows that a page of another site sent it, if one does. Programs send neither. */
export function foreignHeader(header: HeaderOf): 'sec-fetch-site' | 'origin' | undefined {
  const site = header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'sec-fetch-site';
  const origin = header('origin');
  return origin !== undefined && URL.parse(origin)?.host !== header('host') ? 'origin' : undefined;
}

/** Whether a page of another site sends a request by itself. A link that a person follows is let through. */
export function sentByForeignPage(method: string, header: HeaderOf): boolean {
  if (foreignHeader(header) === undefined) return false;
  const reads = method === 'GET' || method === 'HEAD';
  return !(reads && header('sec-fetch-mode') === 'navigate' && header('sec-fetch-dest') === 'document');
}
