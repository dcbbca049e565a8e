import ipaddr from 'ipaddr.js';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';

/** All IPv6 unicast addresses that IANA assigns for the internet; nobody has an address outside them (RFC 4291, 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Returns the reason why no callback may go to an address: the name of its special range (IANA's registries of special-purpose
 * addresses). Undefined for an address of the public internet. Refuses all IPv6 addresses that embed an IPv4 address (mapped, NAT64,
 * 6to4), since nobody publishes them.
 */
export function addressFault(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'no address';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return range;
  return parsed.kind() === 'ipv6' && !parsed.match(GLOBAL_UNICAST) ? 'unassigned' : undefined;
}

/** Returns the host of a URL as CALLBACK_ALLOWED_HOSTS names it: an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Says whether a host, taken from a URL, is an address and not a name. URL writes every notation of IPv4 in the usual one. */
export function isAddress(host: string): boolean {
  return host.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(host);
}

/** Returns where callbacks go, or why they can never be sent. The addresses of a name are checked at every try. */
export function callbackTarget(text: string, allowedHosts: readonly string[]): CallbackTarget | { fault: string } {
  if (!URL.canParse(text)) return { fault: 'is not a URL; write https://HOST/PATH' };
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { fault: 'must begin with https:// or http://' };
  if (url.username !== '' || url.password !== '') {
    return { fault: 'must not carry a user name or password; receivers know us by the signature' };
  }
  const host = hostOf(url);
  if (/(^|\.)invalid\.?$/.test(host)) return { fault: `goes to ${host}, a name that never resolves (RFC 6761)` };
  if (!allowedHosts.includes(host)) {
    const special = isAddress(host) ? addressFault(host) : /(^|\.)localhost\.?$/.test(host) ? 'loopback' : undefined;
    if (special) {
      return { fault: `goes to ${host}, which is no public address (${special}); CALLBACK_ALLOWED_HOSTS can allow it` };
    }
  }
  return { url: url.href, origin: url.origin };
}
