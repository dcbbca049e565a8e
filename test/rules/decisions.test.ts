import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DECISIONS = readdirSync(join(ROOT, 'docs/adr'));
const PAGES = [
  ...readdirSync(ROOT),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

const numberOf = (name: string) => Number(name.slice(0, 4));

describe('decisions', () => {
  it('have a number each, without a gap, and say it in their title', () => {
    expect(DECISIONS.map(numberOf).sort((a, b) => a - b)).toEqual(DECISIONS.map((_, index) => index + 1));
    for (const name of DECISIONS) {
      expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
      const [title] = readFileSync(join(ROOT, 'docs/adr', name), 'utf8').split('\n');
      expect(title, name).toMatch(new RegExp(`^# ${numberOf(name)}\\. `));
    }
  });

  it('are linked to by their numbers', () => {
    const links = PAGES.flatMap((path) =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\[ADR\s+(\d+)\]\(([^)]+)\)/g)].map(
        ([, number, target = '']) => ({
          path,
          number: Number(number),
          target: target.split('/').at(-1)!,
        }),
      ),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ number, target }) => numberOf(target) !== number)).toEqual([]);
  });
});
