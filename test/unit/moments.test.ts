import { expect, it } from 'vitest';
import { moment } from '../../src/cli/output/moments.ts';
import type { Output } from '../../src/cli/output/screen.ts';

it('writes an instant in the local time in a terminal, and in UTC elsewhere', () => {
  const now = new Date(2026, 10, 30, 12, 0, 0);
  const at = new Date(2026, 10, 30, 9, 5, 7).toISOString();
  const terminal = { isTTY: true } as Output;
  expect(moment(at, now, terminal)).toBe('09:05:07');
  expect(moment(at, new Date(2026, 11, 1), terminal)).toBe('2026-11-30 09:05:07');
  expect(moment(at, now, { isTTY: false } as Output)).toBe(at);
});
