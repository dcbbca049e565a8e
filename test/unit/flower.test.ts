import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exceptionRepr,
  PythonJsonError,
  parseLikePython,
  pythonJson,
  pythonRepr,
} from '../../src/api/flower/python.ts';
import { parseSearch } from '../../src/api/flower/search.ts';

describe('JSON as Python writes it', () => {
  it('has spaces after separators and nothing beyond ASCII', () => {
    expect(pythonJson({ a: [1, 'ü😀', null, true], b: {} })).toBe(
      '{"a": [1, "\\u00fc\\ud83d\\ude00", null, true], "b": {}}',
    );
  });

  it('keeps the order of names that are numbers', () => {
    expect(
      pythonJson(
        new Map<string, unknown>([
          ['7', 1],
          ['a', 2],
          ['__proto__', 3],
          ['42', new Map()],
          ['1', 4],
        ]),
      ),
    ).toBe('{"7": 1, "a": 2, "__proto__": 3, "42": {}, "1": 4}');
  });

  it('is the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = pythonJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
        expect(text).toMatch(/^[\x00-\x7e]*$/);
      }),
    );
  });
});

/** What Python 3.12 says: json.loads(TEXT) for each. */
const FAULTS: ReadonlyArray<[text: string, said: string]> = [
  ['{"args": [1,', 'Expecting value: line 1 column 13 (char 12)'],
  ['args=1', 'Expecting value: line 1 column 1 (char 0)'],
  ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
  ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
  ["{'a': 1}", 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['{} {}', 'Extra data: line 1 column 4 (char 3)'],
  ['{oops', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
  ['{\n  "a": nope}', 'Expecting value: line 2 column 8 (char 9)'],
];

describe('a text that is no JSON', () => {
  it.each(FAULTS)('%j is refused in the words of Python', (text, said) => {
    expect(() => parseLikePython(text)).toThrow(said);
  });

  it('is refused wherever it breaks off', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, cut) => {
        const whole = JSON.stringify([value]);
        const part = whole.slice(0, cut % whole.length);
        expect(() => parseLikePython(part)).toThrow(PythonJsonError);
      }),
    );
  });
});

it.each([
  [['it’s', "it's", 'a"b', 'a\'"b', 'x\ny'], `['it’s', "it's", 'a"b', 'a\\'"b', 'x\\ny']`],
  [{ a: null, b: [true, false, 1.5] }, "{'a': None, 'b': [True, False, 1.5]}"],
  [{ a: '\u001b[1m' }, "{'a': '\\x1b[1m'}"],
])('%j is shown as Python shows it', (value, shown) => {
  expect(pythonRepr(value)).toBe(shown);
});

describe('a search', () => {
  it('joins terms, with OR and parentheses', () => {
    expect(parseSearch('state:FAILURE (args:abc OR kwargs:k=v) plain')).toEqual({
      kind: 'all',
      of: [
        { kind: 'state', is: 'FAILURE' },
        {
          kind: 'any',
          of: [
            { kind: 'text', in: 'args', text: 'abc' },
            { kind: 'kwarg', name: 'k', is: 'v' },
          ],
        },
        { kind: 'text', in: 'anything', text: 'plain' },
      ],
    });
    expect(parseSearch('  ')).toBeUndefined();
  });

  /** What Flower 2.2 (flower.utils.search.parse_query) makes of each. */
  it.each<[string, object]>([
    ['args:"hello  world"', { kind: 'text', in: 'args', text: 'hello  world' }],
    ['"say \\"hi\\""', { kind: 'text', in: 'anything', text: 'say "hi"' }],
    ['hello" big "world', { kind: 'text', in: 'anything', text: 'hello big world' }],
    ['"(not a group)"', { kind: 'text', in: 'anything', text: '(not a group)' }],
    ['STATE:failure', { kind: 'state', is: 'failure' }],
    ['name:tasks.add', { kind: 'text', in: 'name', text: 'tasks.add' }],
    ['worker:w1@host', { kind: 'text', in: 'worker', text: 'w1@host' }],
    ['kwargs:"k = v w"', { kind: 'kwarg', name: 'k', is: 'v w' }],
    ['foo:bar', { kind: 'text', in: 'anything', text: 'foo:bar' }],
    ['a\\b', { kind: 'text', in: 'anything', text: 'a\\b' }],
  ])('%j keeps what is quoted', (text, search) => {
    expect(parseSearch(text)).toEqual(search);
  });

  it.each([
    ['(a OR', 'Substring search terms must contain at least 3 characters at position 1.'],
    ['abc )', "Unexpected ')' at position 4."],
    ['(abc', 'Missing closing parenthesis at position 0.'],
    ['"OR" abc', 'Substring search terms must contain at least 3 characters at position 0.'],
    ['kwargs:a = b', 'Substring search terms must contain at least 3 characters at position 0.'],
    ['abc OR OR def', 'OR must be followed by a search term at position 4.'],
    ['AND abc', 'Expected a search term at position 0.'],
    ['abc AND', 'AND must be followed by a search term at position 4.'],
    ['()', 'Empty group at position 0.'],
    ['"abc', 'Unterminated quoted phrase at position 0.'],
    ['""', 'Empty search term at position 0.'],
    ['NOT abc', 'NOT is not supported at position 0.'],
    ['-abc', "Negation with '-' is not supported at position 0."],
    ['args:', 'Search qualifier requires a value at position 0.'],
    ['((((((abc))))))', 'Query nesting exceeds 5 levels at position 5.'],
    ['a'.repeat(2049), 'Query exceeds 2048 characters.'],
    [Array(129).fill('abc').join(' '), 'Query exceeds 128 tokens.'],
  ])('%j is refused', (text, message) => {
    expect(() => parseSearch(text)).toThrow(new Error(message));
  });
});

describe('exceptions', () => {
  it.each([
    [{ message: 'boom' }, "Odd('boom')"],
    [{ message: "('exceeded', 429)", args: ['exceeded', 429] }, "Odd('exceeded', 429)"],
    [{ message: '', args: [] }, 'Odd()'],
    [{ message: "it's", args: ["it's", null] }, 'Odd("it\'s", None)'],
  ])('%j are written as Python does', (error, text) => {
    expect(exceptionRepr({ type: 'Odd', ...error })).toBe(text);
  });

  it('of an unknown task have a text of their own', () => {
    const text = "Task of kind 'a' never registered, please make sure it's imported.";
    expect(exceptionRepr({ type: 'NotRegistered', message: 'a', args: ['a'] })).toBe(text);
  });
});
