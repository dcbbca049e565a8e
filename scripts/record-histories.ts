/**
 * Records the histories in test/histories from real runs: dev server, Postgres, worker and the simulated GitHub.
 * `node scripts/record-histories.ts [PATH...]` (Node 24) records the paths of test/workflows/paths.ts that are named, or all.
 *
 * Before 1.0, and while nobody has builds in flight, record anew after a change of the workflow, and only on purpose: the
 * difference shows what the change does to running builds. From then on a recorded history stands for the builds that run
 * somewhere and is never recorded again: the change goes behind `patched`, and what it adds is recorded as a new path
 * (CONTRIBUTING.md, "When a workflow changes").
 */
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';

process.env.HAPAX_RECORD_PATHS = process.argv.slice(2).join(' ');
// Under vitest because the parts of test/world are put together there; not a test, so not in its configuration.
const vitest = await startVitest('test', [], {
  root: fileURLToPath(new URL('..', import.meta.url)),
  config: false,
  watch: false,
  include: ['test/workflows/recorder.ts'],
  globalSetup: ['test/world/global.ts'],
  testTimeout: 120_000,
  hookTimeout: 180_000,
});
await vitest.close();
