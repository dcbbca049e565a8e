import { describe } from 'vitest';

/**
 * Tests that need programs which are not on every machine. Where one is missing they are skipped, which is said aloud; CI
 * installs them all, and there it is a failure.
 */
export function describeWith(programs: Record<string, boolean>, name: string, tests: () => void): void {
  const missing = Object.keys(programs).filter((program) => !programs[program]);
  if (missing.length === 0) {
    describe(name, tests);
    return;
  }
  const message = `${missing.join(' and ')} not installed`;
  if (process.env.CI) throw new Error(`${name}: ${message}, and CI skips nothing`);
  process.stderr.write(`\n*** SKIPPED: ${name}: ${message} (CONTRIBUTING.md, "Checks") ***\n\n`);
  // Only outside of CI, and the line above names the missing program.
  describe.skip(name, tests);
}
