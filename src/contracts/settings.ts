import { z } from 'zod';
import { buildSettings } from './builds/build-settings.ts';
import { workflowFile } from './builds/configuration.ts';
import { bridgeSettings } from './celery/bridge-settings.ts';
import { checkpointSettings, publishesCheckpoints } from './checkpoint-settings.ts';
import { contentFaults, contentSettings } from './content/content-settings.ts';
import { forgeSettings } from './forges/forge-settings.ts';
import { privateKeySetting, repositorySetting, tokenSetting } from './github/github-settings.ts';
import { oidcSettings } from './keys/oidc-settings.ts';
import { repositoryPattern } from './keys/repository-pattern.ts';
import { signInFaults, signInSettings } from './keys/sign-in-settings.ts';
import { isLoopback } from './loopback.ts';
import { retentionSettings } from './retention-settings.ts';
import { baseUrl, bindAddress, duration, hosts, integer, list, postgresUrl, webhookSecrets } from './setting-forms.ts';
import { WORKFLOW_QUEUE } from './tasks/task-queues.ts';
import { ALL_QUEUES, flowerSettings, taskSettings, truth } from './tasks/task-settings.ts';
import { OF_OWN_TEMPORAL, temporalFaults, temporalSettings } from './temporal-settings.ts';
import { tracingFaults, tracingSettings } from './tracing/tracing-settings.ts';

const DAY_MS = 86_400_000;

/** Secrets of Standard Webhooks: 24 to 64 bytes (standard-webhooks.md, "Signature scheme"). */
const callbackSecrets = list.transform((secrets, context) => {
  const sound = (secret: string) => {
    const base64 = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(secret)?.[1];
    const bytes = base64 === undefined ? 0 : atob(base64).length;
    return bytes >= 24 && bytes <= 64;
  };
  if (secrets.every(sound)) return secrets;
  context.addIssue({
    code: 'custom',
    message: 'must be whsec_ and the base64 of 24 to 64 bytes; make one with: echo "whsec_$(openssl rand -base64 32)"',
  });
  return z.NEVER;
});

const apiKeys = z.string().transform((text, context) => {
  const keys = new Map<string, string>();
  for (const pair of text.split(',')) {
    const [name, secret] = pair.split(/=(.*)/s).map((part) => part?.trim());
    if (!name || !secret || !/^[\x21-\x7e]{16,}$/.test(secret)) {
      context.addIssue({
        code: 'custom',
        message: 'must be NAME=SECRET,NAME=SECRET with secrets of 16 characters or more, in ASCII and without spaces',
      });
      return z.NEVER;
    }
    if (keys.has(name)) {
      context.addIssue({ code: 'custom', message: `names ${name} twice; give each key a name of its own` });
      return z.NEVER;
    }
    keys.set(name, secret);
  }
  return keys;
});

/**
 * Every environment variable that Hapax reads. Descriptions become docs/configuration.md. A value that does not parse stops the start, with
 * one line per fault. Durations are milliseconds after parsing.
 */
export const settingsSchema = z.object({
  DEPLOYMENT_MODE: z.enum(['laptop', 'cloud']).default('laptop').meta({
    description:
      'laptop: everything runs on this machine, Postgres and Temporal included. cloud: you provide Postgres and Temporal, and clients need a key.',
  }),
  HOST: bindAddress
    .default('127.0.0.1')
    .meta({ description: 'Address that the API listens on. Any address except loopback needs API_KEYS.' }),
  PORT: integer(0, 65_535).default(8000).meta({ description: 'Port of the API. 0: any free port.' }),
  METRICS_PORT: integer(0, 65_535).optional().meta({
    description:
      'Port on HOST where a worker or the bridge serves /metrics, /health/live and /health/ready. Not set: it serves none. The API serves them on PORT.',
  }),
  HAPAX_ENV_FILE: z.string().default('.env').meta({
    description:
      'File with settings, one NAME=VALUE a line. Commands that only send requests, such as `hapax trigger`, do not read it. Environment variables take precedence. If you name a file, it must exist. Empty: none.',
  }),
  HAPAX_HOME: z.string().min(1).default('.hapax').meta({
    description:
      'Directory for the data of laptop mode: database, workflows, documents and logs. Only one `hapax up` can use it at a time. In cloud mode, workers keep documents in it if S3_BUCKET is not set.',
  }),
  API_KEYS: apiKeys.optional().meta({
    description:
      'NAME=SECRET pairs, comma separated, with secrets of 16 characters or more. Everybody with one of these secrets may do everything; `hapax keys create` makes keys with fewer rights. Clients send `Authorization: Bearer SECRET`. Required in cloud mode, and if HOST is not loopback.',
    secret: true,
  }),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ description: 'Log lines below this level are not written.' }),

  DATABASE_URL: postgresUrl.optional().meta({
    description:
      'Postgres that holds the record. Not set in laptop mode: embedded Postgres. Append `?prepare=false` if a connection pooler does not support prepared statements.',
    secret: true,
  }),
  DATABASE_ROLE: z
    .string()
    .regex(/^[a-z_][a-z0-9_]*$|^$/, 'must be the name of a role')
    .default('hapax_runtime')
    .meta({
      description:
        'Postgres role that Hapax switches to after login. The migrations create `hapax_runtime`, and no other. Empty: the login user, for managed databases where you cannot create roles, and behind PgBouncer.',
    }),
  ...temporalSettings,

  GITHUB_TOKEN: tokenSetting.optional().meta({
    description:
      'Token with the permission "Actions: write" on every repository that Hapax builds. In laptop mode without a token or an app, builds go to the simulated GitHub.',
    secret: true,
  }),
  GITHUB_APP_ID: z
    .string()
    .trim()
    .regex(/^(?:\d+|Iv[\w.]+)$/, 'must be an app ID or a client ID, for example Iv23...')
    .optional()
    .meta({ description: 'App ID or client ID of a GitHub App, to use instead of a token.' }),
  GITHUB_APP_PRIVATE_KEY: privateKeySetting.optional().meta({
    description: 'Private key of the app: PEM (line ends may be written as \\n) or its base64.',
    secret: true,
  }),
  GITHUB_API_URL: baseUrl()
    .default('https://api.github.com')
    .meta({ description: "Base URL of GitHub's REST API. For GitHub Enterprise Server: https://HOST/api/v3." }),
  GITHUB_REPO: repositorySetting.optional().meta({
    description:
      'Repository of build configuration 1, the one that always exists, as OWNER/NAME. Default with the simulated GitHub: octocat/fedora-images.',
  }),
  GITHUB_WORKFLOW: workflowFile.default('build.yml').meta({ description: 'Workflow file of build configuration 1.' }),
  GITHUB_ATTESTATION_ROOTS: z.string().min(1).optional().meta({
    description:
      'File with the roots that attestations of artifacts are verified with: what `gh attestation trusted-root` prints. Not set: attestations are recorded as not verified.',
  }),
  GITHUB_WEBHOOK_SECRET: webhookSecrets.optional().meta({
    description:
      'Secret of the GitHub webhook that posts to /webhooks/github, of 8 characters or more. To replace it, list old and new: both are accepted. Not set: webhooks are refused.',
    secret: true,
  }),
  GITHUB_CORRELATION_INPUT: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$|^$/, 'must be the name of a workflow input')
    .default('hapax_id')
    .meta({
      description:
        'Workflow input that gets the token by which Hapax recognises its run. Empty: no token; then every ambiguous dispatch (one without a clear response from GitHub) waits for you.',
    }),
  ...forgeSettings,
  GITHUB_POLL_INTERVAL: duration(1, DAY_MS).default(30_000).meta({
    description:
      'Pause between polls of GitHub, or of another forge, for runs. While webhooks arrive, five times as long.',
  }),
  GITHUB_REQUEST_TIMEOUT: duration(1, 3_600_000)
    .default(15_000)
    .meta({ description: 'Longest wait for one response from GitHub or another forge.' }),
  GITHUB_WRITE_INTERVAL: duration(0, 2_000).default(1_000).meta({
    description:
      'Shortest pause between two writes to GitHub (dispatch, re-run, cancel) with one credential, across all workers; at most 2s. 0: no pause; `hapax up` uses this with the simulated GitHub.',
  }),
  START_TIMEOUT: duration(1).default(300_000).meta({
    description:
      'How long `hapax up` and `hapax migrate` wait for Temporal and Postgres to respond, and a worker or the bridge for Temporal. After that, the process exits with status 1. `hapax serve api` starts without waiting.',
  }),
  ...buildSettings,
  ...taskSettings,
  CALLBACK_SECRET: callbackSecrets.default([]).meta({
    description:
      'Secret that signs callbacks (Standard Webhooks, `whsec_BASE64`). To replace it, list new and old: both sign. Not set: callbacks are not signed.',
    secret: true,
  }),
  CALLBACK_ALLOWED_HOSTS: hosts.default([]).meta({
    description:
      'Hosts that callbacks and events of subscriptions may go to although their addresses are private or loopback, as in `localhost,10.0.0.5`. Names are compared whole. Set it for the API, the workers and the bridge.',
  }),
  CONSOLE_READ_ONLY: truth.default(false).meta({
    description: 'Makes the console refuse every change and hide the buttons for them. The API still takes changes.',
  }),
  ...retentionSettings,
  ...oidcSettings,
  ...signInSettings,
  REPOSITORIES_ALLOWED: list.pipe(z.array(repositoryPattern)).optional().meta({
    description:
      'Repositories that build configurations may name: `OWNER/NAME` or `OWNER/*`, comma separated. Triggers for others are refused too. Not set: all. GITHUB_REPO is always allowed.',
  }),
  ...flowerSettings,
  ...checkpointSettings,
  ...contentSettings,
  ...bridgeSettings,
  ...tracingSettings,
  TRUSTED_HOSTS: hosts.default([]).meta({
    description:
      'Without keys, the API refuses requests whose Host header does not name this machine (localhost or a loopback address). It accepts these names too, compared whole. So does the Web UI of Temporal.',
  }),
});

/** The parsed settings of one process. */
export type Settings = z.output<typeof settingsSchema>;

/** Thrown if settings do not parse. `message` has one line per fault and never the value of a secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** A process that reads settings. Each needs only its own settings (a worker has no API key). */
export type Role =
  | 'up'
  | 'api'
  | 'worker'
  | 'bridge'
  | 'migrate'
  | 'audit'
  | 'rebuild'
  | 'backup'
  | 'restore'
  | 'content'
  | 'reconcile'
  | 'replay';

/** Roles that need no other process. If no database or Temporal server is set, they use the embedded one. */
const ALONE: ReadonlySet<Role> = new Set(['up', 'audit', 'rebuild', 'backup', 'restore', 'content', 'reconcile']);
/** Roles that do not need Postgres. */
const WITHOUT_RECORD: ReadonlySet<Role> = new Set(['replay']);
/** Roles that do not connect to Temporal, or do not have to. */
const WITHOUT_TEMPORAL: ReadonlySet<Role> = new Set(['migrate', 'audit', 'rebuild', 'backup', 'restore', 'content']);

/** Variables whose empty value has a meaning. */
const MAY_BE_EMPTY = new Set(['GITHUB_CORRELATION_INPUT', 'DATABASE_ROLE', 'HAPAX_ENV_FILE']);

/**
 * Reads the settings from an environment.
 * @throws {SettingsError} with one line per fault. Each names the variable and says what to do.
 */
export function readSettings(environment: Record<string, string | undefined>, role: Role = 'up'): Settings {
  // Files that secrets are read from end with a line end. An empty variable counts as unset, because compose files produce empty ones.
  const given = Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.replace(/[\r\n]+$/, '')] as const)
      .filter(([name, value]) => value !== '' || MAY_BE_EMPTY.has(name)),
  );
  const parsed = settingsSchema.safeParse(given);
  const faults = parsed.success
    ? [...consistencyFaults(parsed.data), ...missing(parsed.data, role)]
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (faults.length > 0 || !parsed.success) throw new SettingsError(faults.join('\n'));
  return parsed.data;
}

function consistencyFaults(settings: Settings): string[] {
  const faults: string[] = [];
  if ((settings.GITHUB_APP_ID === undefined) !== (settings.GITHUB_APP_PRIVATE_KEY === undefined)) {
    faults.push('GITHUB_APP_ID: an app needs both GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY');
  }
  faults.push(...temporalFaults(settings));
  if ((settings.OIDC_RULES === undefined) !== (settings.OIDC_AUDIENCE === undefined)) {
    faults.push('OIDC_RULES: tokens need both OIDC_RULES and OIDC_AUDIENCE');
  }
  faults.push(
    ...signInFaults(settings),
    ...contentFaults(settings),
    ...tracingFaults(settings),
    ...portFaults(settings),
  );
  if (settings.TASK_SOFT_TIME_LIMIT > settings.TASK_TIME_LIMIT) {
    faults.push('TASK_SOFT_TIME_LIMIT: must be no longer than TASK_TIME_LIMIT');
  }
  return faults;
}

const PORTS = ['PORT', 'METRICS_PORT', 'FLOWER_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT'] as const;

/** Returns a line for each port that two servers share: the second could never start. 0 stands for any free port. */
function portFaults(settings: Settings): string[] {
  return PORTS.flatMap((name, index) => {
    const other = PORTS.slice(0, index).find((before) => settings[before] === settings[name]);
    return settings[name] && other ? [`${name}: is the same port as ${other}; use another`] : [];
  });
}

function missing(settings: Settings, role: Role): string[] {
  const cloud = settings.DEPLOYMENT_MODE === 'cloud';
  const apart = cloud || !ALONE.has(role);
  const serves = role === 'up' || role === 'api';
  const builds = role === 'up' || role === 'worker';
  const needsContent = cloud
    ? role !== 'migrate' && role !== 'bridge' && role !== 'replay'
    : role === 'api' || role === 'worker';
  const faults: string[] = [];
  if (needsContent && settings.CONTENT_STORE === 'surrealdb' && !settings.SURREALDB_URL) {
    faults.push(
      `SURREALDB_URL: ${cloud ? 'cloud mode' : `the role ${role}`} needs a SurrealDB server; only \`hapax up\` has an embedded one`,
    );
  }
  if (apart && !WITHOUT_RECORD.has(role) && !settings.DATABASE_URL) {
    faults.push(
      `DATABASE_URL: ${cloud ? 'cloud mode' : `the role ${role}`} needs a Postgres; set postgres://USER:PASSWORD@HOST/DATABASE`,
    );
  }
  if (apart && !WITHOUT_TEMPORAL.has(role) && !settings.TEMPORAL_ADDRESS) {
    faults.push(
      `TEMPORAL_ADDRESS: ${cloud ? 'cloud mode' : `the role ${role}`} needs a Temporal server; set HOST:PORT`,
    );
  }
  if (role === 'up' && !cloud && !settings.TEMPORAL_ADDRESS) {
    for (const name of OF_OWN_TEMPORAL.filter((one) => settings[one] !== undefined)) {
      faults.push(`${name}: is for your own Temporal server; set TEMPORAL_ADDRESS too, or leave it out`);
    }
  }
  if (role === 'bridge' && !settings.AMQP_URL) {
    faults.push('AMQP_URL: the role bridge needs a RabbitMQ; set amqp://USER:PASSWORD@HOST:5672/VHOST');
  }
  if (serves && !settings.API_KEYS) {
    if (cloud) faults.push('API_KEYS: cloud mode needs authentication; set NAME=SECRET');
    else if (!isLoopback(settings.HOST)) {
      faults.push(
        `API_KEYS: HOST=${settings.HOST} is reachable by others, so the API needs keys; set NAME=SECRET or leave HOST at 127.0.0.1`,
      );
    }
  }
  if (
    (role === 'worker' || role === 'bridge') &&
    settings.METRICS_PORT !== undefined &&
    !settings.API_KEYS &&
    !isLoopback(settings.HOST)
  ) {
    faults.push(
      `API_KEYS: METRICS_PORT on HOST=${settings.HOST} is reachable by others, so it needs keys; set NAME=SECRET or leave HOST at 127.0.0.1`,
    );
  }
  if (
    serves &&
    ((cloud && settings.FORGE_CREDENTIALS.size === 0) || usesRealGitHub(settings)) &&
    !settings.GITHUB_REPO
  ) {
    faults.push('GITHUB_REPO: say which repository configuration 1 builds; set OWNER/NAME');
  }
  const servesWorkflows =
    (settings.WORKER_QUEUES?.has(WORKFLOW_QUEUE) || settings.WORKER_QUEUES?.has(ALL_QUEUES)) ?? true;
  if (builds && servesWorkflows && cloud && !usesRealGitHub(settings) && settings.FORGE_CREDENTIALS.size === 0) {
    faults.push(
      'GITHUB_TOKEN: cloud mode needs a credential; set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, or FORGE_CREDENTIALS',
    );
  }
  if (builds && servesWorkflows && cloud && publishesCheckpoints(settings) && settings.CHECKPOINT_KEY === undefined) {
    faults.push(
      'CHECKPOINT_KEY: without it, there are no checkpoints to publish; make one with `hapax audit key NAME`, or leave out the other CHECKPOINT_ settings',
    );
  }
  return faults;
}

/** Says whether a credential for GitHub is configured. Without one, laptop mode uses the simulated GitHub. */
export function usesRealGitHub(settings: Settings): boolean {
  return settings.GITHUB_TOKEN !== undefined || settings.GITHUB_APP_ID !== undefined;
}
