import { afterAll, beforeAll, expect, vi } from 'vitest';

const state = () => ({
  environment: { ...process.env },
  directory: process.cwd(),
  fakeTimers: vi.isFakeTimers(),
});
const umask = process.umask();
let before: ReturnType<typeof state>;

// Files run one after the other in the same process. No file may pass or fail by what another left behind.
beforeAll(() => {
  before = state();
});
afterAll(() => {
  // Opening a HAPAX_HOME sets it for good.
  process.umask(umask);
  expect(state()).toEqual(before);
});
