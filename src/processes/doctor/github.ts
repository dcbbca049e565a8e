import type { Check } from '../../contracts/check.ts';
import { type Settings, usesRealGitHub } from '../../contracts/settings.ts';
import type { Forge } from '../../integrations/forges/forge.ts';
import { connectGitHub, repositoryOf } from '../github.ts';
import { fault, note, ok } from './findings.ts';
import { lineOf, type Patient } from './patient.ts';

/** An app signs the time into its requests; GitHub accepts a difference of one minute. */
const LARGEST_SKEW_MS = 60_000;

export async function checkGitHub({ settings }: Patient): Promise<Check[]> {
  const name = 'github';
  if (!usesRealGitHub(settings)) {
    // There, builds go to other forges.
    if (settings.DEPLOYMENT_MODE === 'cloud') return [];
    return [note(name, 'no credential is set, so hapax up runs builds in a simulation (hapax init sets one)')];
  }
  const repository = repositoryOf(settings);
  try {
    const github = connectGitHub(settings);
    const { faults, hints } = await github.settingFaults(repository, settings.GITHUB_WORKFLOW);
    const wrong = [
      ...faults.map((line) => fault(name, ...parted(line))),
      ...hints.map((line) => note(name, ...parted(line))),
    ];
    const right = ok(name, `the credential works for ${repository} and ${settings.GITHUB_WORKFLOW}`);
    return [
      ...(faults.length > 0 ? wrong : [right, ...wrong]),
      checkClock(github),
      ...(await checkWebhook(github, repository, settings)),
    ];
  } catch (error) {
    return [fault(name, lineOf(error), 'look at GITHUB_API_URL, the network, and the status page of GitHub')];
  }
}

/** Splits a line into what is wrong and what to do. */
function parted(line: string): [detail: string, remedy: string] {
  const [, detail = line, remedy = 'correct it'] = /^(.*); (.*?)$/s.exec(line) ?? [];
  return [detail, remedy];
}

function checkClock({ clockAheadMs }: Forge): Check {
  const name = 'clock';
  const seconds = Math.round(Math.abs(clockAheadMs) / 1_000);
  if (Math.abs(clockAheadMs) <= LARGEST_SKEW_MS) return ok(name, `within ${Math.max(1, seconds)} s of GitHub's`);
  const detail = `this clock is ${seconds} s ${clockAheadMs > 0 ? 'behind' : 'ahead of'} GitHub's`;
  return fault(name, detail, 'have it set by NTP');
}

async function checkWebhook(github: Forge, repository: string, settings: Settings): Promise<Check[]> {
  const name = 'webhook';
  if (!settings.GITHUB_WEBHOOK_SECRET) {
    const detail = `none is configured; Hapax asks GitHub every ${settings.GITHUB_POLL_INTERVAL / 1_000} s, and misses runs that are run again there`;
    return [note(name, detail, 'set GITHUB_WEBHOOK_SECRET (docs/connect-github.md)')];
  }
  const hooks = await github.ourHooks(repository);
  if (hooks === 'not_allowed') {
    return [note(name, 'this credential may not list webhooks, so doctor cannot see whether there is one')];
  }
  if (hooks.length === 0) {
    const remedy = `add one in the settings of ${repository}: https://YOUR-HOST/webhooks/github, application/json, the event "Workflow runs"`;
    return [fault(name, `${repository} has no webhook to /webhooks/github`, remedy)];
  }
  return hooks.map(({ active, config, last_response }) => {
    const { code, message } = last_response ?? {};
    if (!active) {
      const remedy = `switch it on in the settings of ${repository}`;
      return fault(name, `the webhook to ${config.url} is switched off`, remedy);
    }
    if (code && code >= 300) {
      const detail = `GitHub's last delivery to ${config.url} got ${code}${message ? ` (${message})` : ''}`;
      return fault(name, detail, 'let GitHub reach that address; 401 says that the secrets differ');
    }
    return ok(name, `${config.url}${code ? `, last delivery ${code}` : ''}`);
  });
}
