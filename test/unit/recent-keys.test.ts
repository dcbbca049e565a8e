import { expect, it } from 'vitest';
import { RecentKeys } from '../../src/api/recent-keys.ts';

it('recent keys are remembered until 10,000 others came after', () => {
  const keys = new RecentKeys();
  expect(keys.has('first')).toBe(false);
  keys.add('first');
  keys.add('kept');
  for (let n = 0; n < 9_999; n++) {
    keys.add(`key ${n}`);
    keys.add('kept');
  }
  expect([keys.has('first'), keys.has('kept'), keys.has('key 9998')]).toEqual([false, true, true]);
});
