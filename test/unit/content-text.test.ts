import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedWordsOf, wordGroupsOf } from '../../src/domain/content/asked-words.ts';
import { CHUNK_CHARACTERS, CHUNK_TOKENS, eachChunk, piecesOf } from '../../src/domain/content/chunk.ts';
import { contentIdOfPage, pageUrlOf } from '../../src/domain/content/content-id.ts';
import { fuseRanks } from '../../src/domain/content/rank-fusion.ts';
import { estimateTokens } from '../../src/domain/content/token-estimate.ts';
import { cpuMsOf } from '../world/cpu-time.ts';

describe('chunks', () => {
  const sentence = fc.array(fc.stringMatching(/^[a-zA-Zäöü€😀]{1,14}$/u), { minLength: 1, maxLength: 60 });
  const prose = fc
    .array(
      sentence.map((words) => `${words.join(' ')}. `),
      { maxLength: 30 },
    )
    .map((all) => all.join(''));
  const anything = fc.oneof(prose, fc.string({ maxLength: 5_000 }), fc.string({ unit: 'binary', maxLength: 3_000 }));

  it('in order are the text, and none is too long or empty', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const chunks = [...eachChunk(text)];
        expect(chunks.join('')).toBe(text);
        for (const chunk of chunks) {
          expect(chunk.length).toBeGreaterThan(0);
          expect(chunk.length).toBeLessThanOrEqual(CHUNK_CHARACTERS);
          expect(estimateTokens(chunk)).toBeLessThanOrEqual(CHUNK_TOKENS);
        }
      }),
    );
  });

  it('cut no character in two', () => {
    const text = `x${'😀'.repeat(2_000)}`;
    expect([...eachChunk(text)].every((chunk) => chunk.isWellFormed())).toBe(true);
  });

  it.each([
    ['Chinese', '猫头鹰在夜里捕食老鼠'],
    ['Japanese', '東京の桜は三月の終わりに咲きます'],
    ['Thai', 'แมวชอบกินปลา'],
    ['emoji', '👩‍🚀🏳️‍🌈👍🏽'],
  ])('cut no word in two where none has a space around it: %s', (_, text) => {
    const words = (given: string) => [...new Intl.Segmenter('en', { granularity: 'word' }).segment(given)];
    const whole = text.repeat(200);
    const ends = new Set(words(whole).map(({ index, segment }) => index + segment.length));
    let end = 0;
    for (const chunk of eachChunk(whole)) {
      end += chunk.length;
      expect(ends).toContain(end);
    }
  });

  it('are cut in time that grows with the text', () => {
    const taken = cpuMsOf(() => {
      for (const word of ['a', '月', 'ก', '😀', 'a ', '.']) {
        const text = word.repeat(60_000 / word.length);
        expect(piecesOf(text, { characters: 12_000, tokens: 3_000 }).join('')).toBe(text);
        expect([...eachChunk(text)].join('')).toBe(text);
      }
    });
    expect(taken).toBeLessThan(20_000);
  });

  it('end with sentences where those fit, and with words where they do not', () => {
    const prose = 'A sentence of some length that goes on for a while. '.repeat(100);
    for (const chunk of eachChunk(prose)) expect(chunk).toMatch(/while\. $/);
    const speech = 'and then we said that '.repeat(200);
    for (const chunk of eachChunk(speech)) expect(chunk).toMatch(/^[a-z].* $/);
  });

  it('are few: nearly as full as they may be', () => {
    const speech = 'and then we said that '.repeat(2_000);
    expect([...eachChunk(speech)].length).toBeLessThan((speech.length / CHUNK_CHARACTERS) * 1.05 + 1);
  });
});

describe('the URL of a page', () => {
  it.each([
    ['https://Example.com', 'https://example.com/'],
    ['https://example.com:443/a#part', 'https://example.com/a'],
    ['http://user:secret@example.com/a', 'http://example.com/a'],
    ['https://example.com/a?utm_source=x&id=1&fbclid=y', 'https://example.com/a?id=1'],
  ])('%s is %s', (given, expected) => {
    expect(pageUrlOf(given)).toBe(expected);
  });

  it.each(['?a=b%20c&q=~*&x', '?a=1+2&&b=%c3%a9', '?empty=&semi;colon', '?'])(
    'keeps the rest of a query: %s',
    (query) => {
      expect(pageUrlOf(`https://example.com/${query}`)).toBe(`https://example.com/${query}`);
      const tracked = `https://example.com/${query}${query === '?' ? '' : '&'}utm_source=x`;
      expect(pageUrlOf(tracked)).toBe(`https://example.com/${query === '?' ? '' : query}`);
    },
  );

  it.each(['', 'example.com', 'ftp://example.com/', 'javascript:alert(1)', 'file:///etc/passwd'])(
    '%j is none',
    (given) => {
      expect(pageUrlOf(given)).toBeUndefined();
    },
  );

  it('stays as it is when it is read again', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (given) => {
        const url = pageUrlOf(given);
        expect(pageUrlOf(url ?? '')).toBe(url);
      }),
    );
    expect(contentIdOfPage('https://example.com/')).toMatch(/^web:[0-9a-f]{32}$/);
  });
});

it('words of a query are no longer than Postgres keeps, also in scripts without spaces', () => {
  for (const letter of ['ๆ', 'ะ', '໐', 'ຫ', 'ខ្']) {
    const run = letter.repeat(2_000);
    const { words } = askedWordsOf(run, wordGroupsOf(run), new Map());
    for (const { term, exact, lexeme = '' } of words)
      for (const text of [term, exact, lexeme]) expect(Buffer.byteLength(text)).toBeLessThan(2_046);
  }
});

describe('merged rankings', () => {
  it('put first what several rank high', () => {
    expect(
      fuseRanks([
        ['a', 'b', 'c'],
        ['d', 'b', 'e'],
      ])[0]?.id,
    ).toBe('b');
    expect(fuseRanks([['a', 'b']]).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(fuseRanks([[], []])).toEqual([]);
  });

  it('hold each thing once, and never put one behind another that it beats in every ranking', () => {
    const ranking = fc.shuffledSubarray([...'abcdefgh']);
    fc.assert(
      fc.property(ranking, ranking, (one, other) => {
        const merged = fuseRanks([one, other]).map(({ id }) => id);
        expect(merged.toSorted()).toEqual([...new Set([...one, ...other])].toSorted());
        const rank = (list: string[], id: string) => (list.includes(id) ? list.indexOf(id) : 100);
        for (const a of merged) {
          for (const b of merged) {
            if (rank(one, a) < rank(one, b) && rank(other, a) < rank(other, b)) {
              expect(merged.indexOf(a)).toBeLessThan(merged.indexOf(b));
            }
          }
        }
      }),
    );
  });
});
