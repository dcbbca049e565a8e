import { describe, expect, it } from 'vitest';
import { captionLines } from '../../src/integrations/content/captions.ts';

const srv1 = (body: string) => `<?xml version="1.0" encoding="utf-8" ?><transcript>${body}</transcript>`;
const srv3 = (body: string, head = '') =>
  `<?xml version="1.0" encoding="utf-8" ?><timedtext format="3">${head}<body>${body}</body></timedtext>`;
const texts = (document: string) => {
  const lines = captionLines(document);
  return typeof lines === 'string' ? lines : lines.map(({ text }) => text);
};

describe('captions', () => {
  it.each<[string, string, Array<[number, string]>]>([
    [
      'the first format',
      srv1('<text start="0.5" dur="2">One.</text><text start="2.5" dur="1">Two.</text>'),
      [
        [0.5, 'One.'],
        [2.5, 'Two.'],
      ],
    ],
    ['attributes in another order, and others', srv1(`<text id="1" dur='2' start='1'>One.</text>`), [[1, 'One.']]],
    [
      'no duration',
      srv1('<text start="1">One.</text><text start="4">Two.</text>'),
      [
        [1, 'One.'],
        [4, 'Two.'],
      ],
    ],
    [
      'no start',
      srv1('<text start="1" dur="2">One.</text><text dur="1">Two.</text><text>Three.</text>'),
      [
        [1, 'One.'],
        [3, 'Two.'],
        [4, 'Three.'],
      ],
    ],
    [
      'times that are none',
      srv1('<text start="" dur="x">One.</text><text start="NaN" dur="-1">Two.</text>'),
      [
        [0, 'One.'],
        [0, 'Two.'],
      ],
    ],
    [
      'the second format',
      '<timedtext><text t="1500" d="500">One.</text><text t="2000" append="1">Two.</text></timedtext>',
      [
        [1.5, 'One.'],
        [2, 'Two.'],
      ],
    ],
    [
      'the third format',
      srv3('<p t="0" d="1000">One.</p><p t="1000" d="900">Two.</p>'),
      [
        [0, 'One.'],
        [1, 'Two.'],
      ],
    ],
    [
      'words of their own',
      srv3(
        '<w t="0" id="1"/><p t="280" d="3840" w="1"><s ac="0">The</s><s t="280" ac="0"> moon</s></p><p t="990" d="10" w="1" a="1">\n</p><p d="5" t="1000">\n  <s>pulls</s>\n  <s t="3"> so</s>\n</p>',
      ),
      [
        [0.28, 'The moon'],
        [1, 'pulls so'],
      ],
    ],
    [
      'pens and windows before the text',
      srv3('<p t="0" p="1">One.</p>', '<head><pen id="1" fc="#FEFEFE"/><ws id="0"/><wp id="0" ap="6"/>not said</head>'),
      [[0, 'One.']],
    ],
    [
      'TTML',
      '<tt xmlns="http://www.w3.org/ns/ttml"><head><title>not said</title></head><body><div><p begin="00:00:01.500" end="00:00:02.000">One<br/>more.</p><p begin="1:02:03">Two.</p></div></body></tt>',
      [
        [1.5, 'One more.'],
        [3_723, 'Two.'],
      ],
    ],
    [
      'JSON',
      JSON.stringify({
        wireMagic: 'pb3',
        events: [
          { tStartMs: 0, id: 1 },
          { tStartMs: 80, dDurationMs: 900, segs: [{ utf8: 'The' }, { utf8: ' moon', tOffsetMs: 5 }] },
          { tStartMs: 900, aAppend: 1, segs: [{ utf8: '\n' }] },
          { segs: [{ utf8: 'Two.' }] },
        ],
      }),
      [
        [0.08, 'The moon'],
        [0.9, 'Two.'],
      ],
    ],
  ])('are read in %s', (_, document, expected) => {
    expect(captionLines(document)).toEqual(expected.map(([at, text]) => ({ at, text })));
  });

  it.each<[string, string, string]>([
    ['entities', '&#39;a&#x27; &amp; &lt;b &quot;c&quot;', `'a' & <b "c"`],
    ['entities of HTML in XML', 'It&amp;#39;s &amp;amp; na&amp;iuml;ve&amp;nbsp;&amp;lt;b&amp;gt;', "It's & naïve <b>"],
    ['tags of HTML in XML', '&lt;font color=&quot;#E5E5E5&quot;&gt;It&lt;/font&gt; &lt;i&gt;is&lt;/i&gt;', 'It is'],
    ['tags as elements', 'It <b>is <i>nested</i></b>', 'It is nested'],
    ['what only looks like a tag', 'x &lt;y and z&gt; w', 'x <y and z> w'],
    ['breaks', 'one<br/>two&lt;br&gt;three\nfour', 'one two three four'],
    ['CDATA', '<![CDATA[a < b & c]]>', 'a < b & c'],
    ['an ampersand that stands alone', 'salt & pepper', 'salt & pepper'],
    ['a comment', 'one<!-- not said --> two', 'one two'],
    ['padding', '\u200b \u200bpadded\u200b \u200b', 'padded'],
    ['other scripts', '月球的引力 😀', '月球的引力 😀'],
  ])('keep their text with %s', (_, inside, expected) => {
    expect(texts(srv1(`<text start="0" dur="1">${inside}</text>`))).toEqual([expected]);
    expect(texts(srv3(`<p t="0" d="1">${inside}</p>`))).toEqual([expected]);
  });

  it('lose no line: empty ones aside, also what is not closed, or stands elsewhere', () => {
    const loose = '<text start="0"/><text start="1">One.</text>between<text start="2"> </text><text>Two.';
    expect(texts(srv1(loose))).toEqual(['One.', 'between', 'Two.']);
    expect(texts(srv3('<p t="0">One.<p t="1">Two.</p></p><div><q>Three.</q></div>'))).toEqual([
      'One.',
      'Two.',
      'Three.',
    ]);
    const many = Array.from({ length: 5_000 }, (_, index) => `<text start="${index}">Line ${index}.</text>`);
    expect(texts(srv1(many.join('\n')))).toHaveLength(5_000);
  });

  it.each([
    ['<!doctype html><html><body>Before you continue</body></html>', 'page'],
    ['<html><p>consent</p></html>', 'page'],
    ['WEBVTT\n\n00:00.000 --> 00:01.000\nOne.', 'unknown'],
    ['<rss><text>One.</text></rss>', 'unknown'],
    ['{"error":{}}', 'unknown'],
    ['{"events":[{"segs":[', 'truncated'],
    ['<transcript><text start="0">One.</text><text sta', 'truncated'],
  ])('are not made up where there are none: %s', (document, fault) => {
    expect(captionLines(document)).toBe(fault);
  });

  it('without text are no lines', () => {
    expect(captionLines(srv1(''))).toEqual([]);
    expect(captionLines('<transcript/>')).toEqual([]);
  });
});
