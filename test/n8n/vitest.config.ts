import { defineConfig } from 'vitest/config';

/** `npm run check:n8n`: it installs a whole n8n, so it is no part of `npm test`. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.check.ts'],
    globalSetup: ['install.ts'],
    fileParallelism: false,
    env: { HAPAX_ENV_FILE: '' },
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
