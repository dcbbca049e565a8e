/**
 * Preloaded (`node --import`) into a process that is fed with addresses nobody chose: names other than localhost resolve
 * to nothing, and connections go to this machine or nowhere.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const ofHere = new net.BlockList();
ofHere.addSubnet('127.0.0.0', 8);
ofHere.addAddress('::1', 'ipv6');

function isHere(host: string): boolean {
  const family = net.isIP(host);
  return family === 0 ? host === 'localhost' : ofHere.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function unknown(host: string): Error {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
}

type Anything = (...given: unknown[]) => unknown;

const lookup = dns.lookup as Anything;
const promised = dns.promises.lookup as Anything;
Object.assign(dns, {
  lookup: (host: string, ...rest: unknown[]) =>
    isHere(host) ? lookup(host, ...rest) : process.nextTick(rest.at(-1) as Anything, unknown(host)),
});
Object.assign(dns.promises, {
  lookup: async (host: string, ...rest: unknown[]) => {
    if (!isHere(host)) throw unknown(host);
    return promised(host, ...rest);
  },
});

const connect = net.Socket.prototype.connect as Anything;
net.Socket.prototype.connect = function (this: net.Socket, ...given: unknown[]) {
  // net.connect hands its own arguments over as an array.
  const [target, second] = Array.isArray(given[0]) ? given[0] : given;
  const { host = 'localhost', path } = typeof target === 'object' ? target : { host: second };
  if (!path && !isHere(host)) {
    // Later, as a resolver would: nobody listens for the error yet.
    setImmediate(() => this.destroy(unknown(host)));
    return this;
  }
  return connect.apply(this, given);
} as typeof net.Socket.prototype.connect;

syncBuiltinESMExports();
