import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { addressFault, isAddress } from '../domain/endings/callback-url.ts';

/** An address of a host, as the system's resolver returns it. */
export interface Address {
  address: string;
  family: number;
}

/** Returns all addresses of a name. */
export type Resolve = (host: string) => Promise<Address[]>;

export interface AddressPolicy {
  /** Hosts that may have any address. */
  allowedHosts: ReadonlySet<string>;
  /** The setting that allows them, for the error message. */
  setting: string;
  /** Default: the system's resolver. */
  resolve?: Resolve | undefined;
}

/** Thrown if a connection is not allowed. The message names no address, so it reveals nothing about an internal network. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/**
 * Returns the addresses of a host that may be called: public ones.
 * @throws {AddressRefused} if it has none.
 */
export async function checkedAddresses(host: string, policy: AddressPolicy): Promise<Address[]> {
  const resolve = policy.resolve ?? ((name: string) => lookup(name, { all: true }));
  const family = host.includes(':') ? 6 : 4;
  const found = isAddress(host) ? [{ address: host, family }] : await resolve(host);
  const allowed = policy.allowedHosts.has(host);
  const callable = found.filter(({ address }) => allowed || addressFault(address) === undefined);
  if (callable.length > 0) return callable;
  const ranges = [...new Set(found.map(({ address }) => addressFault(address)))].join(', ') || 'none';
  throw new AddressRefused(`the host has no public address (${ranges}); ${policy.setting} can allow it`);
}

/**
 * Returns a lookup that leads a connection to the checked addresses, whatever the name resolves to by now. If the host is an address, Node
 * calls no lookup; that address was checked too.
 */
function lookupOf(addresses: Address[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses as [Address];
    if (all) callback(null, addresses);
    else callback(null, first.address, first.family);
  };
}

/**
 * Requests a URL from one of the checked addresses of its host. It uses no shared agent: no connection is kept or shared, and no proxy of
 * the environment is used.
 * @throws Node's error if the connection fails, or one with the code `NO_RESPONSE` if the server switches to another protocol; the
 *   signal's reason if it is aborted.
 */
export function requestFrom(
  addresses: Address[],
  url: URL,
  options: Pick<RequestOptions, 'method' | 'headers' | 'signal' | 'insecureHTTPParser' | 'maxHeaderSize'>,
  body?: string | Uint8Array,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, { ...options, agent: false, lookup: lookupOf(addresses) }, resolve);
    request.on('error', reject);
    // After 101, Node emits nothing else.
    request.on('close', () => reject(Object.assign(new Error('there is no response'), { code: 'NO_RESPONSE' })));
    request.end(body);
  });
}
