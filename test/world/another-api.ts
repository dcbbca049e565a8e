import type { Client } from '@temporalio/client';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { type ApiServerOptions, startApiServer } from '../../src/api/server.ts';
import { readSettings, type Settings } from '../../src/contracts/settings.ts';
import { CallbackSender } from '../../src/integrations/callback-sender.ts';
import type { Resolve } from '../../src/integrations/checked-addresses.ts';
import { sendToReceiverOf } from '../../src/processes/callbacks.ts';
import { triggerDependencies } from '../../src/processes/command-dependencies.ts';
import { connectForges, connectGitHub, directDispatchOf, runListingOf } from '../../src/processes/github.ts';
import { createMetrics } from '../../src/processes/metrics.ts';
import { peopleProviderOf, verifyTokenOf } from '../../src/processes/oidc.ts';
import { payloadDecoderOf } from '../../src/processes/payload-codec.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { openDatabase } from '../../src/store/database.ts';
import { callers } from './world.ts';

/** Another API of an installation, with a way of its own to the database, for as long as the test runs. */
export async function startAnotherApi(
  installation: { namespace: string; client: Client; databaseUrl: string },
  given: {
    webhooks?: ApiServerOptions['webhooks'];
    settings?: Partial<Record<keyof Settings, string>>;
    /** Stands for the system's resolver of names. */
    resolve?: Resolve;
  } = {},
) {
  const database = openDatabase({ url: installation.databaseUrl });
  onTestFinished(() => database.close());
  const settings = readSettings({
    PORT: '0',
    GITHUB_REPO: 'acme/images',
    LOG_LEVEL: 'silent',
    TEMPORAL_NAMESPACE: installation.namespace,
    GITHUB_POLL_INTERVAL: '100ms',
    ...given.settings,
  });
  const { CALLBACK_ALLOWED_HOSTS: allowedHosts } = settings;
  const forges = connectForges(settings, connectGitHub(settings));
  const sender = new CallbackSender({
    secrets: [],
    allowedHosts,
    ...(given.resolve ? { resolve: given.resolve } : {}),
  });
  const { client } = installation;
  const { db } = database;
  const log = pino({ level: 'silent' });
  const commands = triggerDependencies(
    { settings, client, db, metrics: createMetrics(db), log },
    directDispatchOf(forges),
  );
  commands.callbackHosts.refusalOf = (host) => sender.refusalOf(host);
  const api = await startApiServer(commands, {
    settings,
    listRuns: runListingOf(forges),
    checkGitHub: async () => {},
    webhooks: given.webhooks,
    sendToReceiver: sendToReceiverOf(sender),
    verifyToken: await verifyTokenOf(settings),
    content: postgresContent(db),
    people: await peopleProviderOf(settings),
    embedQuery: undefined,
    decodePayloads: payloadDecoderOf(settings),
  });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= api.close());
  onTestFinished(close);
  return { ...callers(api.url), url: api.url, flowerUrl: api.flowerUrl, close };
}

/** The same without its database. Only with a key of the environment does it start: it could not know which others let in. */
export async function startCutOffApi(...[installation, given = {}]: Parameters<typeof startAnotherApi>) {
  const key = '0123456789abcdef0123456789abcdef';
  const api = await startAnotherApi(
    { ...installation, databaseUrl: 'postgres://127.0.0.1:1/away' },
    { ...given, settings: { ...given.settings, API_KEYS: `ops=${key}` } },
  );
  const call: typeof api.call = (method, path, body, headers) =>
    api.call(method, path, body, { authorization: `Bearer ${key}`, ...headers });
  return { ...api, call, key };
}
