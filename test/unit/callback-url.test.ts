import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressFault, callbackTarget } from '../../src/domain/endings/callback-url.ts';

/** IANA's registries of special-purpose addresses, multicast, and forms that carry an IPv4 address, as of 2026. */
const SPECIAL_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '255.255.255.255/32'],
];
const SPECIAL_IPV6 = [
  ...['::/128', '::1/128', '::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64'],
  ...['100:0:0:1::/64', '2001::/32', '2001:2::/48', '2001:4:112::/48', '2001:10::/28', '2001:20::/28', '2001:30::/28'],
  ...['2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20', '4000::/3', '5f00::/16', '8000::/3', 'e000::/4'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];
// Two lists: in one, every IPv4 address would match the block of the mapped ones.
const special = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const block of SPECIAL_IPV4) special.ipv4.addSubnet(...cidr(block), 'ipv4');
for (const block of SPECIAL_IPV6) special.ipv6.addSubnet(...cidr(block), 'ipv6');

function cidr(block: string): [string, number] {
  const [address = '', length] = block.split('/');
  return [address, Number(length)];
}

/** Addresses as whole numbers; `bits` of them. */
const numbers = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });

function dotted(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function groups(value: bigint): string {
  return Array.from({ length: 8 }, (_, n) => ((value >> BigInt(112 - 16 * n)) & 0xffffn).toString(16)).join(':');
}

function numberOf(address: string): bigint {
  const written = address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : undefined;
  if (written === undefined) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = written.split('::');
  const parts = (text: string) => (text === '' ? [] : text.split(':'));
  const zeros = tail === undefined ? [] : Array(8 - parts(head).length - parts(tail).length).fill('0');
  return [...parts(head), ...zeros, ...parts(tail ?? '')].reduce(
    (sum, part) => sum * 65_536n + BigInt(`0x${part}`),
    0n,
  );
}

/** An address of a block. */
const within = (block: string, bits: number) => {
  const [address, length] = cidr(block);
  return numbers(bits - length).map((rest) => numberOf(address) | rest);
};

/** Ways to write an IPv4 address that browsers, and so attackers, know. */
const NOTATIONS: Record<string, (value: bigint) => string> = {
  dotted,
  decimal: String,
  hexadecimal: (value) => `0x${value.toString(16)}`,
  octal: (value) => `0${value.toString(8)}`,
  'parts in hexadecimal': (value) => dotted(value).replace(/\d+/g, (part) => `0x${Number(part).toString(16)}`),
  'parts in octal': (value) => dotted(value).replace(/\d+/g, (part) => `0${Number(part).toString(8)}`),
  'two parts': (value) => `${value >> 24n}.${value & 0xffffffn}`,
  'three parts': (value) => `${value >> 24n}.${(value >> 16n) & 255n}.${value & 0xffffn}`,
  'a dot at the end': (value) => `${dotted(value)}.`,
  'wide digits': (value) => dotted(value).replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  'ideographic dots': (value) => dotted(value).replaceAll('.', '。'),
  'percent-encoded': (value) => dotted(value).replace(/\d/g, (digit) => `%3${digit}`),
};

/** IPv6 addresses that carry an IPv4 address. */
const CARRIERS: Record<string, (value: bigint) => string> = {
  mapped: (value) => `::ffff:${dotted(value)}`,
  'mapped in full': (value) => groups((0xffffn << 32n) | value),
  compatible: (value) => `::${dotted(value)}`,
  NAT64: (value) => `64:ff9b::${dotted(value)}`,
  'local NAT64': (value) => `64:ff9b:1::${dotted(value)}`,
  '6to4': (value) => groups((0x2002n << 112n) | (value << 80n)),
  translated: (value) => `::ffff:0:${dotted(value)}`,
};

const faultOf = (host: string, allowed: string[] = []) => {
  const target = callbackTarget(`https://${host}/hook?token=hush`, allowed);
  return 'fault' in target ? target.fault : undefined;
};

describe('an address that is not of the public internet', () => {
  it.each(SPECIAL_IPV4)('is refused in every notation: %s', (block) => {
    fc.assert(
      fc.property(within(block, 32), (value) => {
        expect(addressFault(dotted(value))).toBeTypeOf('string');
        for (const [name, write] of Object.entries(NOTATIONS)) {
          expect(faultOf(write(value)), `${name}: ${write(value)}`).toContain('CALLBACK_ALLOWED_HOSTS');
        }
      }),
      { numRuns: 50 },
    );
  });

  it.each(SPECIAL_IPV6)('is refused short, long and in capitals: %s', (block) => {
    fc.assert(
      fc.property(within(block, 128), (value) => {
        const long = groups(value);
        const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
        for (const text of [long, short, long.toUpperCase()]) {
          expect(addressFault(text), text).toBeTypeOf('string');
          expect(faultOf(`[${text}]`), text).toContain('CALLBACK_ALLOWED_HOSTS');
        }
      }),
      { numRuns: 50 },
    );
  });

  it.each(Object.keys(CARRIERS))('is refused whatever IPv4 address it carries: %s', (name) => {
    fc.assert(fc.property(numbers(32), (value) => addressFault(CARRIERS[name]!(value)) !== undefined));
  });

  it('and no other: what IANA has not set apart is called', () => {
    let asked = 0;
    const open = (address: string) => {
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      // 2001::/23 is kept for protocols: beside the blocks above, nothing in it is a host of somebody's.
      if (special[family].check(address, family) || /^2001:(0|1[0-9a-f]{0,2})?:/.test(address)) return;
      asked += 1;
      expect(addressFault(address), address).toBeUndefined();
    };
    fc.assert(fc.property(numbers(32).map(dotted), open), { numRuns: 2_000 });
    fc.assert(fc.property(within('2000::/3', 128).map(groups), open), { numRuns: 2_000 });
    expect(asked).toBeGreaterThan(2_500);
    for (const address of ['8.8.8.8', '140.82.112.3', '2606:4700:4700::1111', '2a00:1450:4001:80b::200e'])
      open(address);
  });

  it('is no address at all', () => {
    for (const text of ['', 'localhost', '127.0.0.1:80', 'fe80::1%eth0%', ':::'])
      expect(addressFault(text)).toBeTypeOf('string');
  });
});

describe('a callback URL', () => {
  it('may go to any host that is allowed, however it is written', () => {
    for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '127.1'])
      expect(faultOf(host, ['127.0.0.1'])).toBeUndefined();
    for (const host of ['[::1]', '[0:0:0:0:0:0:0:1]']) expect(faultOf(host, ['::1'])).toBeUndefined();
    expect(faultOf('LOCALHOST', ['localhost'])).toBeUndefined();
    expect(faultOf('127.0.0.2', ['127.0.0.1', 'localhost'])).toContain('127.0.0.2');
  });

  it('that names this machine is refused at once', () => {
    for (const host of ['localhost', 'localhost.', 'a.localhost', 'LocalHost'])
      expect(faultOf(host)).toContain('loopback');
    expect(faultOf('localhost.example.com')).toBeUndefined();
  });

  it.each([
    ['not a url', 'is not a URL'],
    ['', 'is not a URL'],
    ['https://', 'is not a URL'],
    ['//example.com/x', 'is not a URL'],
    ['ftp://example.com/', 'must begin with https://'],
    ['javascript:alert(1)', 'must begin with https://'],
    ['file:///etc/passwd', 'must begin with https://'],
    ['https://user@example.com/', 'user name'],
    ['https://:secret@example.com/', 'user name'],
  ])('that can never be called is refused: %s', (url, fault) => {
    expect(callbackTarget(url, [])).toEqual({ fault: expect.stringContaining(fault) });
  });

  it('tells the record its scheme, host and port only', () => {
    const url = 'https://n8n.example.com:8443/webhook-waiting/7?signature=hush';
    expect(callbackTarget(url, [])).toEqual({ url, origin: 'https://n8n.example.com:8443' });
    expect(faultOf('10.0.0.1')).not.toContain('hush');
  });
});
