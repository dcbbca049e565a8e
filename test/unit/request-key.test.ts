import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../src/contracts/builds/event.ts';
import { fingerprint, requestKey } from '../../src/domain/builds/request-key.ts';
import { canonicalJson, sha256 } from '../../src/domain/record/hash.ts';

const request: BuildRequest = {
  repository: 'octocat/images',
  workflow: 'build.yml',
  ref: 'main',
  inputs: { image_type: 'fedora-sway-atomic', fedora_version: '43' },
};

/** Written by hand from RFC 8785: keys sorted by UTF-16 code units, no white space. */
const CANONICAL =
  '{"request":{"inputs":{"fedora_version":"43","image_type":"fedora-sway-atomic"},"ref":"main","repository":"octocat/images","workflow":"build.yml"},"type":"build"}';

describe('what makes two requests the same', () => {
  it('is the SHA-256 of the canonical JSON of type and request', () => {
    expect(fingerprint(request)).toBe(sha256(CANONICAL));
  });

  it('does not depend on the order of inputs', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.infiniteStream(fc.nat()), (inputs, order) => {
        const shuffled = Object.fromEntries(
          Object.entries(inputs)
            .map((entry) => ({ entry, at: order.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ entry }) => entry),
        );
        expect(fingerprint({ ...request, inputs: shuffled })).toBe(fingerprint({ ...request, inputs }));
      }),
    );
  });

  it('differs for requests that differ anywhere', () => {
    const prints = [
      request,
      { ...request, ref: 'dev' },
      { ...request, workflow: 'other.yml' },
      { ...request, repository: 'octocat/other' },
      { ...request, inputs: {} },
      { ...request, inputs: { ...request.inputs, fedora_version: '44' } },
    ].map(fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('is scoped to caller and route where the caller gives a key', () => {
    const print = fingerprint(request);
    const key = { caller: 'ci', route: 'POST /builds/trigger', key: 'k' };
    const keys = [key, { ...key, caller: 'n8n' }, { ...key, route: 'POST /tasks' }, { ...key, key: 'k2' }].map(
      (given) => requestKey(print, given),
    );
    expect(new Set([...keys, requestKey(print)]).size).toBe(5);
    expect(requestKey('another fingerprint', key)).toBe(keys[0]);
    expect(requestKey(print)).toBe(print);
  });

  it('cannot be confused by where caller, route and key end', () => {
    expect(requestKey('', { caller: 'a', route: 'bc', key: 'd' })).not.toBe(
      requestKey('', { caller: 'ab', route: 'c', key: 'd' }),
    );
  });
});

describe('canonical JSON (RFC 8785)', () => {
  it('passes the examples of the RFC', () => {
    // Sections 3.2.2 and 3.2.3.
    expect(
      canonicalJson({
        // biome-ignore lint/correctness/noPrecisionLoss: it is the example of the RFC.
        numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        literals: [null, true, false],
      }),
    ).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}');
    expect(canonicalJson({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 })).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    );
  });

  it('says the same of a value after a trip through JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(JSON.parse(JSON.stringify(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('refuses what has no JSON form', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
  });
});
