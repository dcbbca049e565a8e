import { describe, expect, it } from 'vitest';
import { quorumOf, type WeightedWord } from '../../src/domain/celery/quorum.ts';

/** What Postgres makes of a tsquery (`&` binds closer than `|`, as in JavaScript), for a text that has these of the words. */
function fits(tsquery: string, has: readonly boolean[]): boolean {
  const expression = tsquery.replace(/'w(\d)'/g, (_, index) => String(has[Number(index)]));
  return Boolean(new Function(`return ${expression}`)());
}

const subsets = (length: number) =>
  Array.from({ length: 2 ** length }, (_, bits) => Array.from({ length }, (_, at) => (bits & (1 << at)) !== 0));

const wordsOf = (weights: number[]): WeightedWord[] =>
  weights.map((weight, index) => ({ term: `'w${index}'`, weight })).toSorted((a, b) => b.weight - a.weight);

describe('the tsquery of a quorum', () => {
  const seed = 1;
  it(`fits what has the share of the weight, and nothing else (seed ${seed})`, () => {
    let state = seed;
    const random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state / 0x7fffffff;
    };
    for (let round = 0; round < 50; round++) {
      const weights = Array.from({ length: 1 + Math.floor(random() * 7) }, () => 1 + Math.floor(random() * 1_000));
      // No sum of these is the share itself, so rounding decides nothing.
      const needed = 0.6 * weights.reduce((sum, weight) => sum + weight, 0) - 0.1;
      const share = needed / weights.reduce((sum, weight) => sum + weight, 0);
      const tsquery = quorumOf(wordsOf(weights), share);
      for (const has of subsets(weights.length)) {
        const weight = weights.reduce((sum, one, at) => sum + (has[at] ? one : 0), 0);
        expect(fits(tsquery, has), `${weights} ${has}: ${tsquery}`).toBe(weight >= needed);
      }
    }
  });

  it('stays short for eight words, however they weigh', () => {
    for (const weights of [new Array(8).fill(1), [8, 7, 6, 5, 4, 3, 2, 1], [9, 9, 1, 1, 1, 1, 1, 1]]) {
      expect(quorumOf(wordsOf(weights), 0.6).length).toBeLessThan(3_000);
    }
  });

  it('is the one word of a query that has no other', () => {
    expect(quorumOf([{ term: "'one'", weight: 2 }], 0.6)).toBe("'one'");
  });
});
