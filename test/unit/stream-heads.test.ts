import { expect, it } from 'vitest';
import { LIMITS } from '../../src/contracts/budgets.ts';
import type { Db } from '../../src/store/database.ts';
import { streamHeads } from '../../src/store/record/stream-heads.ts';

const { heads: most, headCharacters } = LIMITS.memory;
const head = (seq: number) => ({ state: undefined, seq, hash: '' });

it('keeps the heads that were kept last, and of small states only', () => {
  const heads = streamHeads({} as Db);
  heads.keep('large', head(1), headCharacters + 1);
  heads.keep('grown', head(1), headCharacters);
  heads.keep('grown', head(2), headCharacters + 1);
  expect([heads.recall('large'), heads.recall('grown')]).toEqual([undefined, undefined]);
  for (let n = 0; n <= most; n++) heads.keep(`task:${n}`, head(n), 100);
  expect([heads.recall('task:0'), heads.recall('task:1')?.seq, heads.recall(`task:${most}`)?.seq]).toEqual([
    undefined,
    1,
    most,
  ]);
});
