import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Check } from '../../contracts/check.ts';
import { frontendsOf } from '../../contracts/setting-forms.ts';
import type { Settings } from '../../contracts/settings.ts';
import { fetchFault, installedTemporalCli, isOldServer, LEAST_SERVER } from '../../laptop/temporal-cli.ts';
import { type Db, withDatabase } from '../../store/database.ts';
import { pendingMigrations } from '../../store/migrate.ts';
import { databaseAt } from '../start-faults.ts';
import { lazyTemporalClient } from '../temporal.ts';
import { fault, note, ok } from './findings.ts';
import { lineOf, type Patient } from './patient.ts';

const ANSWER_MS = 5_000;
/** SQLSTATE of Postgres. */
const INSUFFICIENT_PRIVILEGE = '42501';
/** Status of gRPC. */
const DEADLINE_EXCEEDED = 4;

export async function checkTemporal({ settings, running, environment }: Patient): Promise<Check[]> {
  const address = settings.TEMPORAL_ADDRESS ?? running?.temporalAddress;
  if (address === undefined) return checkTemporalCli(environment);
  const frontends = address.split(',');
  // Each frontend is checked separately. A certificate must have the same name for all of them.
  const { TEMPORAL_TLS_SERVER_NAME: name = frontendsOf(address)[0]?.host } = settings;
  const named = frontends.length === 1 ? settings : { ...settings, TEMPORAL_TLS_SERVER_NAME: name };
  const checks = await Promise.all(frontends.map((frontend) => checkFrontend(named, frontend)));
  if (checks.every(({ status }) => status === 'fault')) return checks;
  return checks.map((check) =>
    check.status === 'ok' ? check : { ...check, status: 'note', detail: `${check.detail}; the others are used` },
  );
}

async function checkFrontend(settings: Settings, address: string): Promise<Check> {
  const name = 'temporal';
  const { connection, client, disconnect } = await lazyTemporalClient({ ...settings, address });
  try {
    // Without a deadline, a client retries for longer than anybody waits.
    const serverVersion = await connection.withDeadline(Date.now() + ANSWER_MS, async () => {
      const { serverVersion } = await connection.workflowService.getSystemInfo({});
      await client.workflowService.describeNamespace({ namespace: settings.TEMPORAL_NAMESPACE });
      return serverVersion;
    });
    if (isOldServer(serverVersion ?? '')) {
      const remedy = `upgrade it to ${LEAST_SERVER} or newer`;
      return fault(name, `the server at ${address} is ${serverVersion}`, remedy);
    }
    return ok(name, `${address}, server ${serverVersion}, namespace ${settings.TEMPORAL_NAMESPACE}`);
  } catch (error) {
    const { details, code } = error as { details?: string; code?: number };
    const reason = code === DEADLINE_EXCEEDED ? 'it does not answer' : details?.split('\n', 1)[0] || lineOf(error);
    const detail = `${address} cannot be used: ${reason}`;
    return fault(name, detail, 'start it, or correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE');
  } finally {
    await disconnect();
  }
}

/** Checks the dev server that `hapax up` would start. */
async function checkTemporalCli(environment: NodeJS.ProcessEnv): Promise<Check[]> {
  const name = 'temporal';
  try {
    const cli = await installedTemporalCli({ env: environment, report: () => {} });
    if (cli) return [ok(name, `hapax up starts its own, with ${cli}`)];
  } catch (error) {
    return [fault(name, lineOf(error), 'correct TEMPORAL_CLI, or leave it out')];
  }
  const why = fetchFault({ env: environment });
  if (why === undefined) return [note(name, "hapax up will download Temporal's CLI once, which takes a network")];
  const detail = `hapax up cannot download Temporal's CLI: ${why}`;
  return [fault(name, detail, 'correct that, or set TEMPORAL_CLI or TEMPORAL_ADDRESS')];
}

export async function checkPostgres({ settings, running }: Patient): Promise<Check[]> {
  const name = 'postgres';
  const { DATABASE_URL: given } = settings;
  const url = given ?? running?.databaseUrl;
  if (url === undefined) {
    const there = existsSync(join(resolve(settings.HAPAX_HOME), 'postgres', 'PG_VERSION'));
    return [ok(name, `embedded; hapax up ${there ? 'opens it and brings it up to date' : 'will make it'}`)];
  }
  const at = given ? databaseAt(given) : 'the embedded database';
  try {
    const wanted = given ? settings.DATABASE_ROLE : '';
    const role = await withDatabase({ url, role: wanted }, currentRole);
    if (wanted !== '' && role !== wanted) {
      const detail = `${at} lets processes act as ${role}, not as ${wanted} (DATABASE_ROLE)`;
      const remedy = `a connection pooler may drop the role; run: ALTER ROLE ${role} SET role = '${wanted}', and set DATABASE_ROLE=`;
      return [fault(name, detail, remedy)];
    }
    // The session of the embedded one is shared, and has the rights of the processes.
    if (!given) return [ok(name, 'embedded, in the hapax up that runs')];
    // Uses the login: the role of the processes may not read which migrations ran.
    const pending = await withDatabase({ url }, pendingMigrations);
    if (pending.length === 0) return [ok(name, `${at} is up to date`)];
    return [fault(name, `${at} lacks ${pending.length} migrations`, 'run: hapax migrate')];
  } catch (error) {
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) {
      return [note(name, `${at} is there; this login may not see whether it is up to date`)];
    }
    return [fault(name, `${at} cannot be used: ${lineOf(error)}`, 'start it, or correct DATABASE_URL')];
  }
}

async function currentRole(db: Db): Promise<string> {
  const [row] = await db<[{ role: string }]>`SELECT current_user AS role`;
  return row.role;
}
