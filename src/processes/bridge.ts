import { hostname } from 'node:os';
import type { NativeConnection } from '@temporalio/worker';
import { startBridge } from '../bridge/bridge.ts';
import { openResultStore } from '../integrations/celery/result-store.ts';
import { createAnswerWorker } from '../worker/answer-worker.ts';
import { commandDependencies } from './command-dependencies.ts';
import type { Ground } from './parts.ts';
import { dataConverterOf } from './payload-codec.ts';
import { required } from './required.ts';

export interface OpenBridgeOptions extends Pick<Ground, 'settings' | 'client' | 'db' | 'metrics' | 'tracing' | 'log'> {
  connection: NativeConnection;
  /** Whether workflows run in this process, on this connection. */
  workerBeside: boolean;
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
  const { settings, connection, workerBeside, db, metrics: meter, tracing, log } = options;
  const { RESULT_REDIS_URL, RESULT_EXPIRES, RESULT_KEY_PREFIX, TEMPORAL_NAMESPACE: namespace } = settings;
  const results =
    RESULT_REDIS_URL === undefined
      ? undefined
      : openResultStore({
          url: RESULT_REDIS_URL,
          expiresMs: RESULT_EXPIRES,
          keyPrefix: RESULT_KEY_PREFIX,
          onError: (reason) => log.warn({ reason }, 'Redis cannot be reached; trying again'),
        });
  const commands = commandDependencies(options, workerBeside);
  await commands.installation.refresh().catch(() => undefined);
  const bridge = await startBridge({
    ...{ ...commands, results, meter, tracing },
    amqpUrl: required(settings, 'AMQP_URL'),
    hostname: `hapax@${hostname()}`,
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
