import { resolve } from 'node:path';
import { inTime } from '../../commands/lifecycle/in-time.ts';
import type { Check } from '../../contracts/check.ts';
import { CLIENT_VARIABLES, misspeltSettings } from '../../contracts/setting-names.ts';
import { readSettings, type Settings, SettingsError, settingsSchema } from '../../contracts/settings.ts';
import { type HomeOwner, runningOwnerOf } from '../../laptop/home-owner.ts';
import { checkApi } from './api.ts';
import { checkBroker, checkModels, checkResults } from './content.ts';
import { fault, note, ok } from './findings.ts';
import { checkGitHub } from './github.ts';
import { checkEnvironmentFile, checkHome, checkNode, checkPorts, servesHapax } from './machine.ts';
import { lineOf, type Patient } from './patient.ts';
import { checkPostgres, checkTemporal } from './servers.ts';
import { checkSignIn } from './sign-in.ts';

/** If a check takes longer, that is itself a finding. */
const TIMEOUT_MS = 15_000;
const LATE = `no answer within ${TIMEOUT_MS / 1_000} s`;

/**
 * Examines an installation: this machine, the settings, and the servers that they name. Changes nothing.
 * @param environmentFile the file that was read besides the environment, if there is one.
 */
export async function examine(environment: NodeJS.ProcessEnv, environmentFile: string | undefined): Promise<Check[]> {
  const first = [checkNode(), ...checkEnvironmentFile(environmentFile)];
  let settings: Settings;
  try {
    settings = readSettings(environment, 'up');
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const skipped = 'servers were not looked at: the settings that name them must be read first';
    return [...first, ...error.message.split('\n').map(settingFault), note('settings', skipped)];
  }
  const known = [...Object.keys(settingsSchema.shape), ...CLIENT_VARIABLES];
  const misspelt = misspeltSettings(environment, known).map((detail) => note('settings', detail));
  const patient: Patient = { settings, environment, running: await runningIn(resolve(settings.HAPAX_HOME)) };
  const sound = ok('settings', `${settings.DEPLOYMENT_MODE} mode; all can be read`);
  const found = await Promise.all(
    Object.entries(CHECKS).map(([name, check]) =>
      inTime(
        check(patient).catch((error: Error) => [
          fault(name, `the check failed: ${lineOf(error)}`, 'see docs/operations.md'),
        ]),
        TIMEOUT_MS,
        LATE,
      ).catch(() => [fault(name, LATE, 'look at what it names, and at the network')]),
    ),
  );
  return [...first, sound, ...misspelt, ...found.flat()];
}

/** Returns the `hapax up` that runs in a home. Another program may have the number of one that is gone. */
async function runningIn(home: string): Promise<HomeOwner | undefined> {
  const owner = runningOwnerOf(home);
  return owner?.url === undefined || (await servesHapax(owner.url)) ? owner : undefined;
}

/** The checks, in the order in which they are shown. */
const CHECKS: Record<string, (patient: Patient) => Promise<Check[]>> = {
  home: checkHome,
  ports: checkPorts,
  temporal: checkTemporal,
  postgres: checkPostgres,
  github: checkGitHub,
  api: checkApi,
  'sign-in': checkSignIn,
  model: checkModels,
  rabbitmq: checkBroker,
  redis: checkResults,
};

function settingFault(line: string): Check {
  const [, detail = line, remedy = 'see docs/configuration.md'] = /^(.*?); (.*)$/s.exec(line) ?? [];
  return fault('settings', detail, remedy);
}
