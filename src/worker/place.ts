import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { tracedActivities } from './temporal-traces.ts';

/** The file that converts failures: for activities, and in the bundle for workflows. */
export const FAILURE_CONVERTER = fileURLToPath(new URL('../workflows/failure-converter.ts', import.meta.url));

/** The Temporal namespace of a worker, and the codec of its payloads. */
export interface WorkerPlace {
  connection: NativeConnection;
  namespace: string;
  /** Encrypts the payloads that Temporal stores; undefined if they stay readable. */
  dataConverter?: DataConverter | undefined;
  /** Traces its activities; undefined if nothing is traced. */
  tracing?: Tracing | undefined;
}

/** Returns the place as options of a worker. */
export function placeOf({ connection, namespace, dataConverter, tracing }: WorkerPlace) {
  return {
    connection,
    namespace,
    dataConverter: { ...dataConverter, failureConverterPath: FAILURE_CONVERTER },
    ...(tracing ? { interceptors: { activity: [tracedActivities(tracing)] } } : {}),
  };
}
