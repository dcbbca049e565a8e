import { defineConfig } from 'vitest/config';

/** `npm run test:cluster`: it builds a Temporal server and takes minutes, so it is no part of `npm test`. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.check.ts'],
    fileParallelism: false,
    env: { HAPAX_ENV_FILE: '' },
    testTimeout: 0,
    hookTimeout: 0,
  },
});
