import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The text without its blocks of code, in which nothing is a link or a title. */
const proseOf = (text: string) => text.replaceAll(/^(```+).*\n[\s\S]*?^\1$/gm, '');

/** The names by which GitHub links to the titles of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of proseOf(text).matchAll(/^#+ (.*)$/gm)) {
    const plain = title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = plain;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${plain}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Links of a page, pictures too, that lead nowhere within the repository. */
function deadLinks(path: string, text: string): string[] {
  const prose = proseOf(text).replaceAll(/`[^`]*`/g, '');
  const targets = [
    ...[...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
    ...[...prose.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)].map(([, target = '']) => target),
  ];
  return targets.flatMap((target) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const linked = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file);
    if (!existsSync(linked)) return [`${path}: ${target}: there is no such file`];
    if (anchor === undefined) return [];
    const found = linked === join(ROOT, path) ? text : readFileSync(linked, 'utf8');
    return anchorsOf(found).has(anchor) ? [] : [`${path}: ${target}: ${relative(ROOT, linked)} has no such title`];
  });
}

describe('links between the pages', () => {
  it.each(PAGES)('lead somewhere: %s', (path) => {
    expect(deadLinks(path, readFileSync(join(ROOT, path), 'utf8'))).toEqual([]);
  });

  it('show each picture in both colour schemes, and none is large', () => {
    const text = PAGES.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');
    const pictures = readdirSync(join(ROOT, 'docs/pictures'));
    expect(pictures.filter((name) => !text.includes(`pictures/${name}`))).toEqual([]);
    expect(pictures.filter((name) => statSync(join(ROOT, 'docs/pictures', name)).size > 150_000)).toEqual([]);
    const shown = [...text.matchAll(/pictures\/([a-z-]+)-light\.webp/g)].map(([, name]) => name);
    expect(shown.filter((name) => !text.includes(`pictures/${name}-dark.webp`))).toEqual([]);
    expect(shown.length).toBeGreaterThan(5);
  });

  it('are found to be dead', () => {
    const text = '# A title, `code` & more\n[here](#a-title-code--more) [gone](#nowhere) ![](pictures/none.webp)\n';
    expect(deadLinks('README.md', text)).toEqual([
      'README.md: #nowhere: README.md has no such title',
      'README.md: pictures/none.webp: there is no such file',
    ]);
  });
});
