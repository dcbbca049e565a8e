import { expect, it } from 'vitest';
import { markWords, stemmableForMarks } from '../../src/domain/content/marked-text.ts';

const stems = new Map<string, string | null>([
  ['builds', 'build'],
  ['building', 'build'],
  ['build', 'build'],
  ['the', null],
  ['of', null],
]);
const marked = (text: string, query: string) =>
  markWords(text, query, stems)
    .map(({ text: piece, isAsked }) => (isAsked ? `[${piece}]` : piece))
    .join('');

it.each([
  ['The Builds of today', 'build', 'The [Builds] of today'],
  ['building, and the rest', 'the builds', '[building], and the rest'],
  ['the end of it', 'the', '[the] end of it'],
  ['Café créme', 'cafe', '[Café] créme'],
  ['see getUserName()', 'user', 'see [getUserName]()'],
  ['我喜欢东京塔', '东京', '我喜欢[东京]塔'],
  ['nothing here', 'elsewhere', 'nothing here'],
  ['', 'build', ''],
])('marks in %j what %j asks for', (text, query, expected) => {
  expect(marked(text, query)).toBe(expected);
});

it('loses no character of the text', () => {
  const text = 'A — “build” of C++, e-mail; ß\n\t東京タワー 👩‍💻 ก';
  expect(
    markWords(text, 'build e-mail 東京', stems)
      .map((piece) => piece.text)
      .join(''),
  ).toBe(text);
});

it('asks for the stems of all words', () => {
  expect(stemmableForMarks('Builds', ['the end'])).toEqual(['builds', 'the', 'end']);
});
