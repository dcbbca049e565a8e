import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgresJs from 'postgres';
import type { TestProject } from 'vitest/node';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import { startTemporalServer } from '../../src/laptop/temporal-server.ts';
import { migrateDatabase } from '../../src/store/migrate.ts';
import { workflowBundle } from '../../src/worker/bundle.ts';
import { startPostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    temporalCli: string;
    temporalAddress: string;
    postgresUrl: string;
    /** A migrated database at that server, to be copied. */
    postgresTemplate: string;
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
    openPostgres(),
    workflowBundle(),
  ]);
  project.provide('temporalCli', cli);
  project.provide('temporalAddress', temporal.address);
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresTemplate', postgres.template);
  project.provide('runDirectory', runDirectory);
  return async () => {
    await Promise.all([temporal.close(), postgres.close()]);
    await rm(runDirectory, { recursive: true, force: true });
  };
}

/** The server of DATABASE_URL, else one of the run's own, with a migrated database. */
async function openPostgres() {
  const server = process.env.DATABASE_URL
    ? { url: process.env.DATABASE_URL, close: async () => {} }
    : await startPostgresServer();
  const template = `hapax_template_${process.pid}_${Date.now()}`;
  const admin = postgresJs(server.url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`CREATE DATABASE ${template}`);
  const url = new URL(server.url);
  url.pathname = `/${template}`;
  await migrateDatabase(url.href);
  return {
    url: server.url,
    template,
    async close() {
      await admin.unsafe(`DROP DATABASE ${template} WITH (FORCE)`);
      await admin.end();
      await server.close();
    },
  };
}
