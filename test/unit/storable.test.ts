import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/domain/record/hash.ts';
import { storable } from '../../src/domain/record/storable.ts';

it('puts U+FFFD in the place of NUL and of halves of surrogate pairs, in values and names', () => {
  expect(storable({ 'a\u0000': ['\ud800', '\udc00x', 'ok 😀', '\\u0000', '\\\\ud800'] })).toEqual({
    'a\ufffd': ['\ufffd', '\ufffdx', 'ok 😀', '\\u0000', '\\\\ud800'],
  });
});

it('leaves everything else as it is, and what it gives has a hash', () => {
  const value = fc.jsonValue({ stringUnit: 'binary' });
  fc.assert(
    fc.property(value, (given) => {
      const kept = storable(given);
      expect(canonicalJson(kept)).not.toMatch(/\\u0000/);
      const json = JSON.stringify(given);
      if (!/\\u(0000|d[89a-f])/.test(json)) expect(kept).toBe(given);
    }),
    { seed: 1, numRuns: 1_000 },
  );
});
