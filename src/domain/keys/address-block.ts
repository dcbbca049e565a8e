import ipaddr from 'ipaddr.js';

/** Returns the addresses that one sender has: an IPv4 address, or the 64 leading bits of an IPv6 address. */
export function addressBlock(address: string): string {
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const leading = (parsed as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return `${leading.join(':')}::/64`;
}
