import { createHash, createPrivateKey } from 'node:crypto';
import type { DirectDependencies } from '../commands/builds/dispatch-directly.ts';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import { Forge } from '../integrations/forges/forge.ts';
import { Forges, NoCredential } from '../integrations/forges/forges.ts';
import { isSigned, runOfDelivery } from '../integrations/forges/webhooks/webhook.ts';
import { createWritePace, type PaceOptions, type WritePace } from '../integrations/forges/writes/pace.ts';
import { UserError } from '../laptop/user-error.ts';
import type { Db } from '../store/database.ts';
import { sharedGitHubWrites } from '../store/github/github-writes.ts';
import type { Metrics } from './metrics.ts';

/** Repository of configuration 1 where builds go to the simulated GitHub and none is named. */
const SIMULATED_REPOSITORY = 'octocat/fedora-images';

/** GitHub as the settings say. @param db where its pace is kept; a process that writes nothing needs none. */
export function connectGitHub(settings: Settings, metrics?: Metrics, db?: Db): Forge {
  const { GITHUB_TOKEN: token, GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: key } = settings;
  if (key !== undefined) assertKey(key);
  const auth = appId && key ? { appId, privateKey: key } : token ? { token } : undefined;
  return new Forge({
    apiUrl: settings.GITHUB_API_URL,
    auth,
    requestTimeoutMs: settings.GITHUB_REQUEST_TIMEOUT,
    ...(metrics ? { onResponse: metrics.githubAnswered } : {}),
    ...(db ? { pace: paceOf(settings, db) } : {}),
  });
}

/** @throws {UserError} where it has the form of an app's key, and is none. */
function assertKey(pem: string): void {
  try {
    if (createPrivateKey(pem).asymmetricKeyType === 'rsa') return;
  } catch {
    // OpenSSL says no more than that it cannot read it.
  }
  throw new UserError('GITHUB_APP_PRIVATE_KEY: is damaged; make another one on the page of the app at GitHub');
}

/** All forges of the settings, side by side. @param github the one of the GITHUB_ settings. */
export function connectForges(settings: Settings, github: Forge, metrics?: Metrics, db?: Db): Forges {
  return new Forges(github, {
    credentials: settings.FORGE_CREDENTIALS,
    requestTimeoutMs: settings.GITHUB_REQUEST_TIMEOUT,
    ...(metrics ? { onResponse: metrics.githubAnswered } : {}),
    paceOf: ({ apiUrl, token }, limitsWrites) =>
      db &&
      paceOfCredential(db, `${apiUrl} token ${token}`, {
        intervalMs: limitsWrites ? settings.GITHUB_WRITE_INTERVAL : 0,
        requestTimeoutMs: settings.GITHUB_REQUEST_TIMEOUT,
      }),
  });
}

/** Sends dispatches for the requests that make builds, as an activity does for their workflows. */
export function directDispatchOf(forges: Forges): DirectDependencies['sendDispatch'] {
  return async (request, correlation) => {
    try {
      return await forges.of(request.forge).dispatch(request, correlation);
    } catch (error) {
      if (error instanceof NoCredential) return { kind: 'not_sent', reason: error.message, wait_ms: null };
      throw error;
    }
  };
}

function paceOf(settings: Settings, db: Db): WritePace {
  const { GITHUB_API_URL: url, GITHUB_APP_ID: appId, GITHUB_TOKEN: token = '' } = settings;
  const credential = `${url} ${appId ? `app ${appId}` : `token ${token}`}`;
  const { GITHUB_WRITE_INTERVAL: intervalMs, GITHUB_REQUEST_TIMEOUT: requestTimeoutMs } = settings;
  return paceOfCredential(db, credential, { intervalMs, requestTimeoutMs });
}

/** Only a fingerprint of the credential is kept. */
function paceOfCredential(db: Db, credential: string, options: PaceOptions): WritePace {
  const key = createHash('sha256').update(`hapax github credential\n${credential}`).digest('hex').slice(0, 32);
  return createWritePace(sharedGitHubWrites(db, key), options);
}

/** OWNER/NAME of configuration 1. */
export function repositoryOf(settings: Settings): string {
  if (settings.GITHUB_REPO) return settings.GITHUB_REPO;
  if (usesRealGitHub(settings)) throw new Error('GITHUB_REPO is not set');
  return SIMULATED_REPOSITORY;
}

/** The reader of GitHub's webhooks; undefined where none are configured. */
export function webhooksOf({ GITHUB_WEBHOOK_SECRET: secrets }: Settings) {
  if (!secrets || secrets.length === 0) return undefined;
  return {
    isSigned: (body: string, signature: string | undefined) => isSigned(body, signature, secrets),
    runOf: runOfDelivery,
  };
}

/** The reader of the webhooks of named credentials. */
export function forgeWebhooksOf({ FORGE_WEBHOOK_SECRETS: secrets }: Settings) {
  if (secrets.size === 0) return undefined;
  return {
    isKnown: (credential: string) => secrets.has(credential),
    isSigned: (credential: string, body: string, signature: string | undefined) =>
      isSigned(body, signature, secrets.get(credential) ?? []),
    runOf: runOfDelivery,
  };
}
