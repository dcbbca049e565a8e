import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, type ConnectionLike } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { inTime } from '../commands/lifecycle/in-time.ts';
import type { Settings } from '../contracts/settings.ts';
import { UserError } from '../laptop/user-error.ts';
import { dataConverterOf } from './payload-codec.ts';
import { temporalAt } from './start-faults.ts';

/** Where and how Temporal is reached. */
export type TemporalTarget = Pick<
  Settings,
  | 'TEMPORAL_NAMESPACE'
  | 'TEMPORAL_API_KEY'
  | 'TEMPORAL_TLS_CA'
  | 'TEMPORAL_TLS_CERT'
  | 'TEMPORAL_TLS_KEY'
  | 'TEMPORAL_CODEC_KEYS'
> & { address: string };

/**
 * Connects to Temporal. One native connection serves client and worker of a process, so that a workflow can start
 * eagerly on the worker beside it (half the latency, measured on server 1.32).
 * @throws where Temporal does not answer.
 */
export async function connectTemporal(
  target: TemporalTarget,
): Promise<{ connection: NativeConnection; client: Client }> {
  const connection = await NativeConnection.connect(await connectionOptions(target));
  return { connection, client: clientOf(connection, target) };
}

const RECONNECT_EVERY_MS = 2_000;
/** Longest wait for one answer: a server that hangs takes the connection and says nothing. */
const ATTEMPT_TIMEOUT_MS = 5_000;

/**
 * As {@link connectTemporal}, from when Temporal answers; undefined where the process was told to stop before.
 * @throws {UserError} for what no waiting mends, and where Temporal has not answered within the time of a start.
 */
export async function connectPatiently(
  target: TemporalTarget,
  { stopping, timeoutMs, log }: { stopping: Promise<unknown>; timeoutMs: number; log: Logger },
) {
  const { address } = target;
  const giveUp = Date.now() + timeoutMs;
  let stopped = false;
  void stopping.then(() => (stopped = true));
  while (!stopped) {
    const connecting = connectTemporal(target);
    try {
      return await inTime(
        connecting,
        Math.min(ATTEMPT_TIMEOUT_MS, Math.max(giveUp - Date.now(), 100)),
        'it does not answer',
      );
    } catch (err) {
      if (err instanceof UserError) throw err;
      // It may connect all the same.
      connecting.then(({ connection }) => connection.close()).catch(() => {});
      if (Date.now() >= giveUp) {
        const seconds = Math.round(timeoutMs / 1_000);
        throw new UserError(`${temporalAt(address)} could not be reached within ${seconds} s (START_TIMEOUT)`);
      }
      log.warn(
        { reason: err instanceof Error ? err.message : String(err), address },
        'Temporal cannot be reached; trying again',
      );
      await Promise.race([delay(Math.min(RECONNECT_EVERY_MS, giveUp - Date.now())), stopping]);
    }
  }
  return undefined;
}

/** A client that connects at its first call and again after an outage, for processes that must start without Temporal. */
export async function lazyTemporalClient(target: TemporalTarget): Promise<{ connection: Connection; client: Client }> {
  const connection = Connection.lazy(await connectionOptions(target));
  return { connection, client: clientOf(connection, target) };
}

function clientOf(connection: ConnectionLike, target: TemporalTarget): Client {
  const dataConverter = dataConverterOf(target);
  return new Client({ connection, namespace: target.TEMPORAL_NAMESPACE, ...(dataConverter ? { dataConverter } : {}) });
}

async function connectionOptions(target: TemporalTarget) {
  const { TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: cert, TEMPORAL_TLS_KEY: key } = target;
  const files = {
    ...(ca ? { serverRootCACertificate: await read('TEMPORAL_TLS_CA', ca) } : {}),
    ...(cert && key
      ? { clientCertPair: { crt: await read('TEMPORAL_TLS_CERT', cert), key: await read('TEMPORAL_TLS_KEY', key) } }
      : {}),
  };
  const tls = Object.keys(files).length > 0 ? files : apiKey !== undefined;
  return { address: target.address, ...(tls ? { tls } : {}), ...(apiKey ? { apiKey } : {}) };
}

function read(setting: string, file: string): Promise<Buffer> {
  return readFile(file).catch((error: Error) => {
    throw new UserError(`${setting}: cannot read the file: ${error.message}`);
  });
}
