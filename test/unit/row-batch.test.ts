import { expect, it } from 'vitest';
import { RowBatch } from '../../src/store/record/row-batch.ts';

/** Sizes in characters of the statements that rows of this size make. */
function statements(count: number, characters: number): number[] {
  const batch = new RowBatch();
  const row = JSON.stringify('x'.repeat(characters));
  const sizes: number[] = [];
  const take = () => {
    const json = batch.take();
    expect(new Set(JSON.parse(json))).toEqual(new Set([JSON.parse(row)]));
    sizes.push(json.length);
  };
  for (let n = 0; n < count; n++) {
    batch.add(row);
    if (batch.isFull) take();
  }
  if (!batch.isEmpty) take();
  return sizes;
}

it('a batch of rows ends where Postgres and Node can still hold its JSON', () => {
  // As a task has at most: a megabyte of arguments, and one of its result.
  const large = statements(40, 2_000_000);
  expect(Math.max(...large)).toBeLessThan(16_000_000);
  expect(large).toHaveLength(10);
  expect(statements(1_001, 10)).toHaveLength(3);
});
