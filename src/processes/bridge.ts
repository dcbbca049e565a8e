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
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { taskPolicyOf } from '../domain/tasks/task-request.ts';
import { openResultStore } from '../integrations/celery/result-store.ts';
import type { Db } from '../store/database.ts';
import { createAnswerWorker } from '../worker/answer-worker.ts';
import { refusalOfHost } from './callbacks.ts';
import { dataConverterOf } from './payload-codec.ts';
import { required } from './required.ts';
import { secretBoxOf } from './secret-box.ts';

export interface OpenBridgeOptions {
  settings: Settings;
  connection: NativeConnection;
  client: Client;
  /** Whether workflows run in this process, on this connection. */
  workerBeside: boolean;
  db: Db;
  meter: BridgeMeter & ApiMeter;
  /** Omitted if nothing is traced. */
  tracing?: Tracing | undefined;
  log: Logger;
}

/** The running bridge with its worker. */
export interface OpenBridge {
  /** Resolves with the reason if the bridge broke for good. */
  failed: Promise<Error>;
  /** Stops taking messages, lets running work end, and disconnects. */
  close(): Promise<void>;
}

/** Starts the bridge beside the other work of the process. */
export async function openBridge(options: OpenBridgeOptions): Promise<OpenBridge> {
  const { settings, connection, client, workerBeside, db, meter, tracing, log } = options;
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
    secrets: secretBoxOf(settings),
    dedupWindowMs: DEDUP_WINDOW,
    hostname: `hapax@${hostname()}`,
    meter,
    tracing,
    log,
  });
  const worker = await createAnswerWorker({
    ...{ connection, namespace, db, ways: bridge.ways, dataConverter: dataConverterOf(settings), tracing },
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
