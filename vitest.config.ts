import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// For the processes and threads that the tests start: without it, each compiles the packages that it loads, 1.3 s of CPU per file.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/hapax', import.meta.url));

/** Without figures of an earlier run, Vitest begins with the largest files. Those that take longest are small: they start processes. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification) =>
      project.name !== 'whole' ? 0 : moduleId.includes('/test/end-to-end/') ? 1 : 2;
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // For two cores: while one file waits, the others use them. Time limits end what hangs; machines three times as slow stay below.
    maxWorkers: 3,
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
            'test/deploy/**/*.test.ts',
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
          // Nearly all of these files import the whole product: once per worker, and not per file.
          isolate: false,
          setupFiles: ['test/world/shared-process.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
