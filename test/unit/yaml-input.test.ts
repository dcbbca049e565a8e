import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { yamlInput, yamlInputs } from '../../src/domain/yaml-input.ts';

function textOf(document: string): string {
  const read = yamlInput(document);
  if ('fault' in read) throw new Error(read.fault);
  return read.text;
}
const faultOf = (document: string) => (yamlInput(document) as { fault?: string }).fault;

/** What a shell and a reader of YAML could take for their own. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.constantFrom(
    'EOF',
    '\nEOF\n',
    '$(id)',
    '`id`',
    `$${'{HOME}'}`,
    "'; id; '",
    '\\',
    '\\\\$HOME',
    '\\\nEOF\n',
    '"',
    '\u2028EOF\u0085',
    'yes',
    '1e3',
  ),
);
/**
 * Keys that V8 13.6 (Node 24) reads right: once its JSON.parse has read the key `\`, it takes the key `"` for that, which
 * `JSON.parse('{"a":1,"\\\\":1}'), JSON.parse('{"a":1,"\\"":1}')` shows.
 */
const readable = (key: string) => !key.endsWith('\\') && key !== '__proto__' && key !== '<<';
const documents = fc.oneof(
  fc.array(fc.oneof(hostile, fc.integer(), fc.boolean(), fc.constant(null)), { minLength: 1 }),
  fc.dictionary(hostile.filter(readable), fc.oneof(hostile, fc.array(hostile)), { minKeys: 1, noNullPrototype: true }),
);

describe('an input that carries YAML', () => {
  it('says what the document said', () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(parse(textOf(stringify(document)))).toEqual(document);
        expect(JSON.parse(textOf(JSON.stringify(document)))).toEqual(document);
      }),
    );
  });

  it('comes out of a here-document and out of quotes as it went in, whatever it holds', () => {
    // Many at once, as starting a shell takes longer than the rest.
    const many = fc.array(documents, { minLength: 50, maxLength: 50 });
    fc.assert(
      fc.property(many, (sent) => {
        const texts = sent.map((document) => textOf(JSON.stringify(document)));
        const script = texts.map(
          (text) => `cat <<EOF\n${text}\nEOF\ncat <<'EOF'\n${text}\nEOF\nprintf '%s\\n' '${text}'`,
        );
        const said = execFileSync('sh', { input: script.join('\n'), encoding: 'utf8', env: { HOME: '/broken-out' } });
        expect(said).toBe(texts.map((text) => `${text}\n`.repeat(3)).join(''));
      }),
      { numRuns: 5 },
    );
  });

  it('is the same for equal documents', () => {
    expect(textOf('b: [1, 2] # why\na: x')).toBe(textOf('{"a": "x", "b": [1, 2]}'));
    expect(textOf('base: &base {a: 1}\nnext:\n  <<: *base\n  b: 2')).toBe('{"base":{"a":1},"next":{"a":1,"b":2}}');
  });

  it('refuses what is no document, or reads differently elsewhere', () => {
    expect(faultOf('a: [')).toMatch(/./);
    expect(faultOf('a: 1\na: 2')).toBe('it has the key a twice');
    expect(faultOf('a: 1\n---\nb: 2')).toMatch(/multiple documents/i);
    expect(faultOf('? [1]\n: 2')).toBe('it has a key that is no text');
    expect(faultOf('a: &x [1]\n*x : 2')).toBe('it has a key that is no text');
    expect(faultOf('python: {3.10: yes, 3.9: no}')).toBe('the key 3.10 is read as 3.1; quote it');
    expect(faultOf('~: 1')).toBe('the key ~ is read as null; quote it');
    expect(faultOf('1: a\n"1": b')).toBe('it has the key 1 twice');
    expect(textOf('44: a\n"3.10": b\ntrue: c')).toBe('{"3.10":"b","44":"a","true":"c"}');
    expect(faultOf('just text')).toBe('it is neither a mapping nor a sequence');
    expect(faultOf('')).toBe('it is neither a mapping nor a sequence');
    expect(faultOf('a: !!python/object:os.system x')).toMatch(/tag/i);
    expect(faultOf('id: 12345678901234567890')).toMatch(/id is a number .* quote it/);
    expect(faultOf('a: .inf')).toMatch(/a is a number/);
  });

  it('refuses a document that unfolds or nests without end', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]',
      'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]',
      'd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]',
    ];
    expect(faultOf(bomb.join('\n'))).toMatch(/alias/i);
    expect(faultOf('['.repeat(30_000) + ']'.repeat(30_000))).toMatch(/./);
  });
});

describe('an input that carries too much YAML', () => {
  it('is refused by its characters and by its lexemes, also where several inputs share them', () => {
    expect(faultOf(`a: "${'x'.repeat(65_531)}"`)).toMatch(/have 65536 characters; 65535 is the most/);
    expect(faultOf('- a\n'.repeat(8_000))).toMatch(/more than 30000 keys/);
    const half = '- a\n'.repeat(5_000);
    expect(yamlInputs({ one: half }).faults).toEqual([]);
    expect(yamlInputs({ one: half, two: half }).faults.map(({ name }) => name)).toEqual(['one', 'two']);
  });

  it('is read or refused in less than a second, whatever it consists of', () => {
    const parts = [
      '[',
      '{a: ',
      '- ',
      '? ',
      'a: ',
      '- a\n',
      '- &a x\n',
      '- *a\n',
      ']',
      '{a},',
      '- !x a\n',
      '\\q',
      '# c\n',
      '\n',
      '---\n',
    ];
    for (const part of [
      ...parts,
      'a: 1\n',
      '%a b\n',
      '& ',
      '! ',
      '"',
      "'",
      '|\n ',
      '>\n ',
      ' ',
      '\t',
      '\r',
      '0',
      '<<: *a\n',
    ]) {
      for (const before of ['', 'a: &a [x]\nb: ', '{', '"']) {
        const document = before + part.repeat(Math.floor((65_535 - before.length) / part.length));
        const { user } = process.threadCpuUsage();
        yamlInput(document);
        expect([part, before, process.threadCpuUsage().user - user < 1_000_000]).toEqual([part, before, true]);
      }
    }
    const keys = Array.from({ length: 3_500 }, (_, n) => `k${n}: 1`);
    expect(textOf(keys.join('\n')).length).toBeGreaterThan(10_000);
    expect(textOf(`{${keys.join(', ')}}`).length).toBeGreaterThan(10_000);
  });
});
