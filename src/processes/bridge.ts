import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { ApiMeter } from '../api/meter.ts';
import { startBridge } from '../bridge/bridge.ts';
import type { BridgeMeter } from '../bridge/meter.ts';
import { KnownInstallation } from '../commands/lifecycle/installation.ts';
import { TaskTypes } from '../commands/tasks/task-types.ts';
import type { Settings } from '../contracts/settings.ts';
import { taskPolicyOf } from '../domain/tasks/task-request.ts';
import { openResultStore } from '../integrations/celery/result-store.ts';
import type { Db } from '../store/database.ts';
import { createAnswerWorker } from '../worker/answer-worker.ts';
import { refusalOfHost } from './callbacks.ts';
import { dataConverterOf } from './payload-codec.ts';
import { required } from './required.ts';

export interface OpenBridgeOptions {
  settings: Settings;
  connection: NativeConnection;
  client: Client;
  /** Workflows are worked at in this process, on this connection. */
  workerBeside: boolean;
  db: Db;
  meter: BridgeMeter & ApiMeter;
  log: Logger;
}

/** The bridge with its worker, running. */
export interface OpenBridge {
  /** Resolves with the reason when it broke beyond mending. */
  failed: Promise<Error>;
  /** Stops taking messages, lets what is under way end, and disconnects. */
  close(): Promise<void>;
}

/** Starts the bridge beside whatever else the process does. */
export async function openBridge(options: OpenBridgeOptions): Promise<OpenBridge> {
  const { settings, connection, client, workerBeside, db, meter, log } = options;
  const { RESULT_REDIS_URL, RESULT_EXPIRES, RESULT_KEY_PREFIX, DEDUP_WINDOW, TEMPORAL_NAMESPACE: namespace } = settings;
  const results =
    RESULT_REDIS_URL === undefined
      ? undefined
      : openResultStore({
          url: RESULT_REDIS_URL,
          expiresMs: RESULT_EXPIRES,
          keyPrefix: RESULT_KEY_PREFIX,
          onError: (reason) => log.warn({ reason }, 'Redis cannot be reached; trying again'),
        });
  const installation = new KnownInstallation(db);
  await installation.refresh().catch(() => undefined);
  const bridge = await startBridge({
    amqpUrl: required(settings, 'AMQP_URL'),
    results,
    client,
    installation,
    workerBeside,
    db,
    taskPolicy: taskPolicyOf(settings),
    taskTypes: new TaskTypes(db, log),
    callbackHosts: { allowed: settings.CALLBACK_ALLOWED_HOSTS, refusalOf: refusalOfHost(settings) },
    dedupWindowMs: DEDUP_WINDOW,
    hostname: `hapax@${hostname()}`,
    meter,
    log,
  });
  const worker = await createAnswerWorker({
    ...{ connection, namespace, db, ways: bridge.ways, dataConverter: dataConverterOf(settings) },
  });
  const working = worker.run();
  return {
    failed: new Promise((resolve) => {
      working.catch(resolve);
    }),
    async close() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await working.catch(() => {});
      await bridge.close();
      await results?.close();
    },
  };
}
