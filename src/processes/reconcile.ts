import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Difference, reconcile } from '../commands/reconcile/reconcile.ts';
import { readSettings } from '../contracts/settings.ts';
import { ownerOf } from '../laptop/home-owner.ts';
import { UserError } from '../laptop/user-error.ts';
import { commandDependencies } from './command-dependencies.ts';
import { createLog } from './log.ts';
import { withRecord } from './record-database.ts';
import { orTemporalAway } from './start-faults.ts';
import { connectTemporal } from './temporal.ts';

const USAGE = `hapax reconcile [--dry-run]   compares the record with Temporal and repairs differences

Hapax does the same at each start and then every hour. --dry-run shows the differences and changes nothing.
It needs TEMPORAL_ADDRESS, and DATABASE_URL or a Hapax that runs in HAPAX_HOME.`;

/** Runs `hapax reconcile`: prints what was found and done for each build, task and schedule that differs. */
export async function runReconcile(argv: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { dryRun, help } = readArguments(argv);
  if (help) return console.log(USAGE);
  const settings = readSettings(environment, 'reconcile');
  const address = settings.TEMPORAL_ADDRESS ?? ownerOf(resolve(settings.HAPAX_HOME))?.temporalAddress;
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

function readArguments(argv: string[]): { dryRun: boolean; help: boolean } {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, 'dry-run': { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: argv, options });
    return { dryRun: values['dry-run'] ?? false, help: values.help ?? false };
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

const FOUND: Record<Difference['found'], string> = {
  workflow_lost: 'is open, but Temporal has no workflow for it',
  workflow_ended: 'is open, but its workflow has ended',
  callback_lost: 'has ended, but nobody sends its callback',
  reply_lost: 'has ended, but nobody replies to its sender',
  schedule_lost: 'is not in Temporal',
  schedule_differs: 'is not in Temporal as the record has it',
  times_missed: 'was not fired at some of its times',
  subscription_lost: 'is active, but Temporal has no workflow for it',
  record_set_back: 'is ahead in Temporal: the record has lost events',
};

function lineOf({ subject, found, outcome, error }: Difference): string {
  const done = error ?? outcome?.replaceAll('_', ' ');
  return `${subject} ${FOUND[found]}${done === undefined ? '' : `: ${done}`}`;
}
