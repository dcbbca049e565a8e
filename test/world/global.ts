import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';

import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';

import { startTemporalServer } from '../../src/laptop/temporal-server.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { startPostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    temporalCli: string;
    temporalAddress: string;
    postgresUrl: string;
    /** Directory of the test run. */
    runDirectory: string;
  }
}

/** What the whole run shares: one Temporal server, one Postgres server, one workflow bundle. */
export default async function setup(project: TestProject) {
  const runDirectory = await mkdtemp(join(tmpdir(), 'hapax-test-'));
  const report = (line: string) => console.log(line);
  const cli = await findTemporalCli({ env: process.env, report });
  const [temporal, postgres] = await Promise.all([
    startTemporalServer({ cli, directory: runDirectory, uiPort: null, searchAttributes: SEARCH_ATTRIBUTES, report }),
    process.env.DATABASE_URL ? { url: process.env.DATABASE_URL, close: async () => {} } : startPostgresServer(),
    workflowBundle(),
  ]);
  project.provide('temporalCli', cli);
  project.provide('temporalAddress', temporal.address);
  project.provide('postgresUrl', postgres.url);
  project.provide('runDirectory', runDirectory);
  return async () => {
    await Promise.all([temporal.close(), postgres.close()]);
    await rm(runDirectory, { recursive: true, force: true });
  };
}
