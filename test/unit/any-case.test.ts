import { expect, it } from 'vitest';
import { inAnyCase } from '../../src/store/any-case.ts';

/** Postgres and JavaScript read what it makes in the same way. */
const finds = (text: string, within: string) => new RegExp(inAnyCase(text), 'u').test(within);

it('finds letters of any script in any case, and everything else as it is', () => {
  expect(finds('åse ØDEGÅRD', 'By Åse Ødegård.')).toBe(true);
  expect(finds('ИВАН', 'Иван Грозный')).toBe(true);
  expect(finds('Straße', 'straße')).toBe(true);
  // Letters with more than two cases, and one whose upper case is two letters.
  expect(finds('ΓΙΏΡΓΟΣ', 'Γιώργος')).toBe(true);
  expect(finds('Γιώργος', 'ΓΙΏΡΓΟΣ')).toBe(true);
  expect(finds('Großmann', 'GROẞMANN')).toBe(true);
  expect(finds('GROẞMANN', 'Großmann')).toBe(true);
  expect(finds('𐐀', '𐐨')).toBe(true);
  expect(finds('Erika', 'Erik')).toBe(false);
  const odd = `a.b*c+d?e^f$g{1}h(i)j|k[l]m\\n-o/p"q'r#s t,u<v>w=x!y~z&%_@\`;:😀`;
  expect(finds(odd, odd)).toBe(true);
  for (const character of odd.replaceAll(/\w/gu, '')) {
    expect([character, finds(`x${character}y`, 'xZy')]).toEqual([character, false]);
  }
});
