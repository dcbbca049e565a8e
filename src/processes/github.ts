import { createHash, createPrivateKey } from 'node:crypto';
import type { ListRuns } from '../commands/builds/compare-shadow.ts';
import type { DirectDependencies } from '../commands/builds/dispatch-directly.ts';
import { type Settings, usesRealGitHub } from '../contracts/settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { Forge } from '../integrations/forges/forge.ts';
import { ForgeError } from '../integrations/forges/forge-error.ts';
import { Forges, NoCredential, sendDispatch } from '../integrations/forges/forges.ts';
import { isSigned, runOfDelivery } from '../integrations/forges/webhooks/webhook.ts';
import { createWritePace, type PaceOptions, type WritePace } from '../integrations/forges/writes/pace.ts';
import { UserError } from '../laptop/user-error.ts';
import type { Db } from '../store/database.ts';
import { sharedGitHubWrites } from '../store/github/github-writes.ts';
import type { Metrics } from './metrics.ts';

/** Repository of configuration 1 if builds go to the simulated GitHub and the settings name none. */
const SIMULATED_REPOSITORY = 'octocat/fedora-images';

/** What a process passes to its forges. */
export interface ForgeGround {
  metrics?: Metrics;
  tracing?: Tracing | undefined;
  /** Where their pace is shared. A process that writes nothing needs none. */
  db?: Db;
}

/** Connects to GitHub by the settings. */
export function connectGitHub(settings: Settings, { metrics, tracing, db }: ForgeGround = {}): Forge {
  const { GITHUB_TOKEN: token, GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: key } = settings;
  if (key !== undefined) assertKey(key);
  const auth = appId && key ? { appId, privateKey: key } : token ? { token } : undefined;
  return new Forge({
    apiUrl: settings.GITHUB_API_URL,
    auth,
    requestTimeoutMs: settings.GITHUB_REQUEST_TIMEOUT,
    ...(metrics ? { onResponse: metrics.githubAnswered } : {}),
    ...(tracing ? { tracing } : {}),
    ...(db ? { pace: paceOf(settings, db) } : {}),
  });
}

/** @throws {UserError} if it looks like an app's key, and is not one. */
function assertKey(pem: string): void {
  try {
    if (createPrivateKey(pem).asymmetricKeyType === 'rsa') return;
  } catch {
    // OpenSSL only says that it cannot read it.
  }
  throw new UserError('GITHUB_APP_PRIVATE_KEY: is damaged; make another one on the page of the app at GitHub');
}

/** Connects to all forges of the settings. @param github the one of the GITHUB_ settings. */
export function connectForges(settings: Settings, github: Forge, { metrics, tracing, db }: ForgeGround = {}): Forges {
  return new Forges(github, {
    credentials: settings.FORGE_CREDENTIALS,
    requestTimeoutMs: settings.GITHUB_REQUEST_TIMEOUT,
    ...(metrics ? { onResponse: metrics.githubAnswered } : {}),
    ...(tracing ? { tracing } : {}),
    paceOf: ({ apiUrl, token }, limitsWrites) =>
      db &&
      paceOfCredential(db, `${apiUrl} token ${token}`, {
        intervalMs: limitsWrites ? settings.GITHUB_WRITE_INTERVAL : 0,
        requestTimeoutMs: settings.GITHUB_REQUEST_TIMEOUT,
      }),
  });
}

/**
 * Returns a function that sends dispatches for the requests that make builds. It works and counts like the activity of their workflows.
 */
export function directDispatchOf(
  forges: Forges,
  meter?: Pick<Metrics, 'dispatched'>,
): DirectDependencies['sendDispatch'] {
  return (request, correlation) => sendDispatch(forges, request, correlation, meter);
}

/** Returns a function that lists runs, for comparisons. */
export function runListingOf(forges: Pick<Forges, 'of'>): ListRuns {
  return async ({ forge, repository }, ageMs) => {
    try {
      return await forges.of(forge).list(repository, ageMs);
    } catch (error) {
      if (error instanceof ForgeError || error instanceof NoCredential) return { fault: error.message };
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

/** Returns the pace for writes of a credential. Only a fingerprint of the credential is kept. */
function paceOfCredential(db: Db, credential: string, options: PaceOptions): WritePace {
  const key = createHash('sha256').update(`hapax github credential\n${credential}`).digest('hex').slice(0, 32);
  return createWritePace(sharedGitHubWrites(db, key), options);
}

/** Returns the OWNER/NAME of configuration 1. */
export function repositoryOf(settings: Settings): string {
  if (settings.GITHUB_REPO) return settings.GITHUB_REPO;
  if (usesRealGitHub(settings)) throw new Error('GITHUB_REPO is not set');
  return SIMULATED_REPOSITORY;
}

/** Returns the reader of webhooks; undefined if none are configured. */
export function webhooksOf({ GITHUB_WEBHOOK_SECRET: github = [], FORGE_WEBHOOK_SECRETS: forges }: Settings) {
  if (github.length === 0 && forges.size === 0) return undefined;
  return {
    secretsOf: (credential: string | undefined) => (credential === undefined ? github : (forges.get(credential) ?? [])),
    isSigned,
    runOf: runOfDelivery,
  };
}
