import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonFault, readJson } from '../../src/domain/json.ts';
import { cpuMsOf } from '../world/cpu-time.ts';

function faultOf(text: string): { message: string; path: string | undefined } {
  try {
    readJson(text);
  } catch (error) {
    if (error instanceof JsonFault) return { message: error.message, path: error.path?.join('.') };
    throw error;
  }
  throw new Error(`was taken: ${text.slice(0, 100)}`);
}

describe('reading JSON', () => {
  it('gives what JSON.parse gives, for all that JSON.stringify writes', () => {
    const key = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__' && !name.includes('\u0000'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u0000')),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.maxSafeInteger(),
        fc.constantFrom(null, true, false),
        fc.array(tie('value')),
        fc.dictionary(key, tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (given, space) => {
        const text = JSON.stringify(given, undefined, space);
        expect(readJson(text)).toEqual(JSON.parse(text));
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it('finds a key that is there twice, however it is written and wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '\\u0061', 'ä')), fc.nat(3), (keys, depth) => {
        const object = `{${keys.map((key) => `"${key}" : [{"a":1},{"a":2}]`).join(', ')}}`;
        const text = '[0,'.repeat(depth) + object + ']'.repeat(depth);
        const distinct = new Set(keys.map((key) => JSON.parse(`"${key}"`) as string)).size === keys.length;
        if (distinct) expect(readJson(text)).toEqual(JSON.parse(text));
        else expect(faultOf(text).message).toMatch(/is there twice/);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it.each([
    ['{"ref":"a","ref":"b"}', 'ref', /twice/],
    ['{"inputs":{"x":1,"y":[{"k":1},{"k":1,"\\u006b":2}]}}', 'inputs.y.1.k', /twice/],
    ['{"a":{"__proto__":1}}', 'a.__proto__', /__proto__/],
    ['[[],"x\\u0000"]', '1', /NUL/],
    ['{"a":[1,"\\ud800"]}', 'a.1', /surrogate/],
    ['{"a":[1,"\\udc00\\ud800"]}', 'a.1', /surrogate/],
    ['{"a\\ud800":1}', '', /surrogate/],
    ['[9007199254740993]', '0', /changed/],
    ['[9223372036854775808]', '0', /changed/],
    ['[1152921504606846976]', '0', /changed/],
    ['[1,[-9007199254740993]]', '1.0', /changed/],
    ['{"n":12345678901234567890}', 'n', /changed/],
    ['{"n":1e400}', 'n', /changed/],
    ['{"n":-1e400}', 'n', /changed/],
    ['{"n":1e-400}', 'n', /changed/],
    ['{"n":9007199254740993.0}', 'n', /changed/],
    ['{"n":9007199254740993e0}', 'n', /changed/],
    ['{"n":0.1234567890123456789}', 'n', /changed/],
    [`{"n":0.${'1'.repeat(100_000)}}`, 'n', /changed/],
    [`${'['.repeat(101)}${']'.repeat(101)}`, '', /100 levels/],
    [`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`, '', /100 levels/],
    ['{"a":', undefined, /JSON/],
    ['', undefined, /JSON/],
    ['NaN', undefined, /JSON/],
    ['01', undefined, /JSON/],
  ])('refuses %s', (text, path, message) => {
    const fault = faultOf(text);
    expect(fault.path).toBe(path);
    expect(fault.message).toMatch(message);
  });

  it.each([
    '9007199254740991',
    '9007199254740992',
    '100000000000000000000',
    '-9007199254740991',
    '0.1',
    '0.10000000000000001',
    '1.2345678901234567e+19',
    '1e300',
    '5e-324',
    '-0.0',
    '0e10',
    '0.000',
    '1E2',
    '100000000000000000000e-18',
    '0.1000000000000000055511151231257827021181583404541015625',
    `${'['.repeat(100)}${']'.repeat(100)}`,
    '"\\\\u0000 \\\\ud800 \\ud83d\\ude00 \\" }{ ]["',
  ])('takes %s', (text) => {
    expect(readJson(text)).toEqual(JSON.parse(text));
  });

  it('takes less than a second of the processor for a megabyte of anything', () => {
    const size = 1_048_576;
    for (const part of [
      '[',
      '{"a":',
      '[],',
      '{},',
      '1,',
      '"\\u0041",',
      '"",',
      '1e5,',
      '0.1234567890123456,',
      ' ',
      '\\"',
      '-',
    ]) {
      const text = part.repeat(Math.floor(size / part.length) - 1);
      for (const whole of [text, `[${text}0]`, `"${text}"`]) {
        const taken = cpuMsOf(() => {
          try {
            readJson(whole);
          } catch (error) {
            expect(error).toBeInstanceOf(JsonFault);
          }
        });
        expect(taken).toBeLessThan(1_000);
      }
    }
    const taken = cpuMsOf(() => {
      expect(faultOf(`[1.${'0'.repeat(size)}1]`).message).toMatch(/changed/);
      expect(readJson(`[1.${'0'.repeat(size)}]`)).toEqual([1]);
    });
    expect(taken).toBeLessThan(1_000);
    const keys = `{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join()}}`;
    expect(Object.keys(readJson(keys) as object)).toHaveLength(100_000);
  });
});
