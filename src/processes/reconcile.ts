import { resolve } from 'node:path';
import { type Difference, reconcile } from '../commands/reconcile/reconcile.ts';
import { readSettings } from '../contracts/settings.ts';
import { HomeInUse, openHome } from '../laptop/home.ts';
import { ownerOf } from '../laptop/home-owner.ts';
import { UserError } from '../laptop/user-error.ts';
import { commandDependencies } from './command-dependencies.ts';
import { createLog } from './log.ts';
import { withRecord } from './record-database.ts';
import { orTemporalAway } from './start-faults.ts';
import { connectTemporal } from './temporal.ts';

/** Runs `hapax reconcile`: prints what was found and done for each build, task and schedule that differs. */
export async function runReconcile(dryRun: boolean, environment: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(environment, 'reconcile');
  const address = settings.TEMPORAL_ADDRESS ?? temporalOfRunning(resolve(settings.HAPAX_HOME));
  if (address === undefined) {
    throw new UserError('the address of Temporal is unknown: start Hapax in this HAPAX_HOME, or set TEMPORAL_ADDRESS');
  }
  const log = createLog(settings.LOG_LEVEL, 'reconcile');
  const { client, disconnect } = await connectTemporal({ ...settings, address }).catch(orTemporalAway(address));
  try {
    const differences = await withRecord(settings, { role: settings.DATABASE_ROLE, shared: true }, (db) =>
      reconcile(commandDependencies({ settings, client, db, log }), {
        dryRun,
        report: (difference) => console.log(lineOf(difference)),
      }),
    );
    const unmended = differences.filter(({ error, outcome }) => error !== undefined || outcome === 'unknown');
    console.log(`${differences.length} differ${dryRun ? '' : `, ${unmended.length} could not be repaired`}`);
    if (unmended.length > 0) throw new UserError('some could not be repaired: see the lines above');
  } finally {
    await disconnect();
  }
}

/**
 * Returns the address of Temporal of the Hapax that runs in a home. A stopped one remembers an address where another home's Temporal may be
 * by now. Compared with that, all open builds would seem lost, and start again.
 */
function temporalOfRunning(directory: string): string | undefined {
  if (!ownerOf(directory)) return undefined;
  try {
    openHome(directory).close();
  } catch (error) {
    if (error instanceof HomeInUse) return ownerOf(directory)?.temporalAddress;
    throw error;
  }
  return undefined;
}

const FOUND: Record<Difference['found'], string> = {
  workflow_lost: 'is open, but Temporal has no workflow for it',
  workflow_ended: 'is open, but its workflow has ended',
  callback_lost: 'has ended, but nobody sends its callback',
  reply_lost: 'has ended, but nobody replies to its sender',
  schedule_lost: 'is not in Temporal',
  schedule_differs: 'is not in Temporal as the record has it',
  times_missed: 'was not fired at some of its times',
  retry_lost: 'was retried, but nobody follows its run',
  subscription_lost: 'is active, but Temporal has no workflow for it',
  record_set_back: 'is ahead in Temporal: the record has lost events',
};

function lineOf({ subject, found, outcome, error }: Difference): string {
  const done = error ?? outcome?.replaceAll('_', ' ');
  return `${subject} ${FOUND[found]}${done === undefined ? '' : `: ${done}`}`;
}
