import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Two cores: more files at once only wait for each other. Time limits end what hangs; machines three times as slow stay below.
    maxWorkers: 2,
    // What the tests start reads no settings of whoever works here.
    env: { HAPAX_ENV_FILE: '' },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          setupFiles: ['test/world/fixed-seed.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'parts',
          include: [
            'test/laptop/**/*.test.ts',
            'test/simulator/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/rules/**/*.test.ts',
          ],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'whole',
          include: ['test/workflows/**/*.test.ts', 'test/integration/**/*.test.ts', 'test/end-to-end/**/*.test.ts'],
          globalSetup: ['test/world/global.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
