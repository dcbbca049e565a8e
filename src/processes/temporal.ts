import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, type ConnectionLike, type ConnectionOptions } from '@temporalio/client';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { inTime } from '../commands/lifecycle/in-time.ts';
import { frontendsOf } from '../contracts/setting-forms.ts';
import type { Settings } from '../contracts/settings.ts';
import { usesTls } from '../contracts/temporal-settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { UserError } from '../laptop/user-error.ts';
import { tracedStarts } from '../worker/temporal-traces.ts';
import { dataConverterOf } from './payload-codec.ts';
import { temporalAt } from './start-faults.ts';
import { startTemporalRelay } from './temporal-relay.ts';

/** How to reach Temporal. */
export type TemporalTarget = Pick<
  Settings,
  | 'TEMPORAL_NAMESPACE'
  | 'TEMPORAL_API_KEY'
  | 'TEMPORAL_TLS_CA'
  | 'TEMPORAL_TLS_CERT'
  | 'TEMPORAL_TLS_KEY'
  | 'TEMPORAL_TLS_SERVER_NAME'
  | 'TEMPORAL_CODEC_KEYS'
> & {
  /** One or several frontends, as in TEMPORAL_ADDRESS. */
  address: string;
  /** Records the workflows that the client starts; omitted if nothing is traced. */
  tracing?: Tracing | undefined;
};

/** A connection to Temporal, and a client on it. */
export interface Connected<Connection> {
  connection: Connection;
  client: Client;
  /** Closes everything that was opened. Nothing else may use it any more. */
  disconnect(): Promise<void>;
}

/**
 * Connects to Temporal. One native connection serves client and worker of a process, so that a workflow can start eagerly
 * on the worker beside it (half the latency, measured on server 1.32).
 * @throws if Temporal does not respond.
 */
export async function connectTemporal(target: TemporalTarget): Promise<Connected<NativeConnection>> {
  const way = await wayTo(target);
  try {
    return await connectOn(way, target);
  } catch (error) {
    way.close();
    throw error;
  }
}

async function connectOn(way: Way, target: TemporalTarget): Promise<Connected<NativeConnection>> {
  const connection = await NativeConnection.connect(way.options);
  return { connection, client: clientOf(connection, target), disconnect: () => disconnect(connection, way) };
}

const RECONNECT_EVERY_MS = 2_000;
/** How long to wait for one response: a server that hangs accepts the connection and says nothing. */
const ATTEMPT_TIMEOUT_MS = 5_000;

/**
 * Connects like {@link connectTemporal}, as soon as Temporal responds; returns undefined if the process was told to stop before.
 * @throws {UserError} if waiting does not help, or Temporal has not responded within START_TIMEOUT.
 */
export async function connectPatiently(
  target: TemporalTarget,
  { stopping, timeoutMs, log }: { stopping: Promise<unknown>; timeoutMs: number; log: Logger },
) {
  const { address } = target;
  const giveUp = Date.now() + timeoutMs;
  const way = await wayTo(target, log);
  let stopped = false;
  void stopping.then(() => (stopped = true));
  while (!stopped) {
    const connecting = connectOn(way, target);
    try {
      return await inTime(
        connecting,
        Math.min(ATTEMPT_TIMEOUT_MS, Math.max(giveUp - Date.now(), 100)),
        'it does not answer',
      );
    } catch (err) {
      // This attempt may still connect.
      connecting.then(({ connection }) => connection.close()).catch(() => {});
      if (Date.now() >= giveUp) {
        way.close();
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
  way.close();
  return undefined;
}

/** Returns a client that connects at its first call, and again after an outage. For processes that must start without Temporal. */
export async function lazyTemporalClient(target: TemporalTarget, log?: Logger): Promise<Connected<Connection>> {
  const way = await wayTo(target, log);
  const connection = Connection.lazy(way.options);
  return { connection, client: clientOf(connection, target), disconnect: () => disconnect(connection, way) };
}

async function disconnect(connection: ConnectionLike, way: Way): Promise<void> {
  await connection.close();
  way.close();
}

function clientOf(connection: ConnectionLike, target: TemporalTarget): Client {
  const dataConverter = dataConverterOf(target);
  const { TEMPORAL_NAMESPACE: namespace, tracing } = target;
  return new Client({
    ...{ connection, namespace },
    ...(dataConverter ? { dataConverter } : {}),
    ...(tracing ? { interceptors: { workflow: [tracedStarts(tracing)] } } : {}),
  });
}

interface Way {
  options: ConnectionOptions & NativeConnectionOptions;
  close(): void;
}

/** Returns the options of a connection. If there are several frontends, it goes through a relay in this process. */
async function wayTo(target: TemporalTarget, log?: Logger): Promise<Way> {
  const { TEMPORAL_API_KEY: apiKey, TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: cert, TEMPORAL_TLS_KEY: key } = target;
  const frontends = frontendsOf(target.address);
  const isTls = usesTls(target);
  const serverName = target.TEMPORAL_TLS_SERVER_NAME ?? (frontends.length > 1 ? frontends[0]?.host : undefined);
  const tls = {
    ...(serverName ? { serverNameOverride: serverName } : {}),
    ...(ca ? { serverRootCACertificate: await read('TEMPORAL_TLS_CA', ca) } : {}),
    ...(cert && key
      ? { clientCertPair: { crt: await read('TEMPORAL_TLS_CERT', cert), key: await read('TEMPORAL_TLS_KEY', key) } }
      : {}),
  };
  const relay = frontends.length > 1 ? await startTemporalRelay(frontends, { tls: isTls, log }) : undefined;
  return {
    options: {
      address: relay?.address ?? target.address,
      ...(isTls ? { tls } : {}),
      ...(apiKey ? { apiKey } : {}),
      // No proxy of `https_proxy` leads to the relay, which is in this process.
      ...(relay ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
    },
    close: () => relay?.close(),
  };
}

function read(setting: string, file: string): Promise<Buffer> {
  return readFile(file).catch((error: Error) => {
    throw new UserError(`${setting}: cannot read the file: ${error.message}`);
  });
}
