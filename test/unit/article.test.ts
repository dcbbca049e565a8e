import { describe, expect, it } from 'vitest';
import { articleOf } from '../../src/integrations/content/article.ts';
import { cpuMsOf } from '../world/cpu-time.ts';

const SENTENCE = 'Tides are caused by the moon, which pulls at the water of the sea.';
const ARTICLE = `<article><h1>Tides</h1>${`<p>${SENTENCE}</p>`.repeat(6)}<p>The last word.</p></article>`;
const read = (source: string, kind: 'html' | 'xml' = 'html') => articleOf(source, kind, 'https://site.test/page');

describe('a page that leads on to another', () => {
  const page = (content: string) =>
    `<meta HTTP-EQUIV="Refresh" content="${content}"><p>Click here if you are not redirected.</p>`;
  it.each([
    ['0; url=/there', 'https://site.test/there'],
    ["5;URL='https://other.test/?a=1&amp;b=2'", 'https://other.test/?a=1&b=2'],
    ['0.5, there', 'https://site.test/there'],
  ])('is refused, and the other one named: %s', (content, target) => {
    expect(() => read(page(content))).toThrow(`the page leads on to ${target}; take that URL`);
  });

  it.each([
    '5',
    '300; url=/there',
    '0; url=#part',
    '0; url=/page',
    '0; url=mailto:a@b.test',
    '0; url=http://[',
    'soon; url=/there',
  ])('is read where it does not, or only later: %s', (content) => {
    expect(read(page(content)).text).toContain('Click here');
  });

  it('is read where it leads on only those who run no scripts, and in time that grows with its length', () => {
    expect(read(`<noscript>${page('0; url=/no-scripts')}</noscript>${ARTICLE}`).text).toContain('The last word.');
    expect(cpuMsOf(() => read(page(`0${' '.repeat(100_000)}x`)))).toBeLessThan(2_000);
  });
});

describe('the text of a page', () => {
  it.each([
    ['without html, head and body', `<!DOCTYPE html><title>T</title>${ARTICLE}`],
    ['without head and body', `<!DOCTYPE html><html lang=en><title>T</title>${ARTICLE}</html>`],
    ['without body', `<!DOCTYPE html><html><head><title>T</title></head>${ARTICLE}</html>`],
    ['without a doctype', `<html><body>${ARTICLE}`],
    ['that is a fragment', `<div id="x">${ARTICLE}</div>`],
    ['after its body', `<html><body><p>First.</p></body></html>${ARTICLE}`],
    ['with two bodies', `<body class=a><body lang=de>${ARTICLE}`],
    ['with formatting closed in the wrong order', `<b><i>${ARTICLE}</b></i>`],
    ['in a table of another', `<table><tr><td><table>${ARTICLE}</table></table>`],
    ['in noscript', `<noscript>${ARTICLE}</noscript>`],
    ['in a shadow of its own', `<div><template shadowrootmode="open">${ARTICLE}</template></div>`],
    ['after a comment that is not closed well', `<!-- x --!>${ARTICLE}<!-->`],
    ['after NUL', `\0<p>a\0b</p>${ARTICLE}`],
    ['after a script that speaks of tags', `<script>"</body><p>"</script>${ARTICLE}`],
    ['after data that is no JSON', `<script type="application/ld+json">{bad</script>${ARTICLE}`],
    [
      'after data without the usual fields',
      `<script type="application/ld+json">{"@context":"https://schema.org","@type":"Article","author":[null],"headline":5}</script>${ARTICLE}`,
    ],
    ['with attributes of odd names', `<div "a" 'b' c=d=e <f =g>${ARTICLE}</div>`],
    ['with a base that is no URL', `<base href="http://["><a href="::">x</a>${ARTICLE}`],
    ['with a class that says it is a sidebar', `<html class="sidebar hidden"><body class="comment">${ARTICLE}`],
    ['as plaintext', `<plaintext>${SENTENCE} The last word.`],
    ['2,000 elements deep', `${'<div>'.repeat(2_000)}${ARTICLE}`],
    ['with more elements than Readability is given', `${'<b>x</b> '.repeat(100_001)}${ARTICLE}`],
  ])('is read %s', (_, source) => {
    const { text } = read(source);
    expect(text).toContain(SENTENCE);
    expect(text).toContain('The last word.');
  });

  it.each([
    ['a word', '<p>Hi', 'Hi'],
    ['text without a tag', 'just text', 'just text'],
    [
      'tags that are not closed',
      '<p>One<p>Two<ul><li>a<li>b</ul><table><tr><td>x<td>y<tr><td>z</table>',
      'One\n\nTwo\n\na\n\nb\n\nx y\n\nz',
    ],
    ['entities of every form', '<p>&amp; &eacute &copy2 &#128; &#x1F600;', '& é ©2 € 😀'],
  ])('is all that is shown where that is %s', (_, source, expected) => {
    expect(read(source).text.replace(/\n+/g, '\n')).toBe(expected.replace(/\n+/g, '\n'));
  });

  it('has nothing of what is not shown', () => {
    const { text } = read(
      `<template><p>hidden</p></template><script>hidden()</script><style>.hidden{}</style>${ARTICLE}`,
    );
    expect(text).not.toContain('hidden');
  });

  it.each([
    ['', 'the page is empty'],
    [' \n', 'the page is empty'],
    ['<html><body></body></html>', 'the page holds no text that can be read'],
    ['<script>x()</script>', 'the page holds no text that can be read'],
    [
      '<frameset cols="1,*"><frame src="a.html"></frameset>',
      'the page shows only frames; take the URL of the frame with the text',
    ],
  ])('is missed with a reason: %j', (source, message) => {
    expect(() => read(source)).toThrow(message);
  });

  it('is read of XHTML as XML: an element that ends itself swallows nothing', () => {
    const source = `<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "xhtml1-strict.dtd">
      <html xmlns="http://www.w3.org/1999/xhtml" xml:lang="de" lang="de"><head><title>Gezeiten</title><script src="a.js"/><style/></head>
      <body><div class="x"/>${ARTICLE.replace('The last word.', '<![CDATA[5 < 6 & so: ]]>the last word&nbsp;here.')}</body></html>`;
    const article = read(source, 'xml');
    expect(article).toMatchObject({ title: 'Gezeiten', language: 'de' });
    expect(article.text).toContain('5 < 6 & so: the last word here.');
  });

  it('is read of XHTML that is not well-formed', () => {
    expect(read(`<html xmlns="http://www.w3.org/1999/xhtml"><body><p>a & b<br>${ARTICLE}`, 'xml').text).toContain(
      'The last word.',
    );
    expect(read(`<html><body>${'<div>'.repeat(6_000)}${ARTICLE}`, 'xml').text).toContain('The last word.');
    expect(() => read('<rss><channel><title>x</title></channel></rss>', 'xml')).toThrow('XML that is no XHTML');
  });

  it('comes with its title and author in one line', () => {
    expect(read(`<title>\n On\n tides </title><meta name=author content="A. Writer">${ARTICLE}`)).toMatchObject({
      title: 'On tides',
      author: 'A. Writer',
    });
  });
});
