import type { DataConverter } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';

/** Where a worker works, and how what it says is kept there. */
export interface WorkerPlace {
  connection: NativeConnection;
  namespace: string;
  /** Encrypts what Temporal keeps; left out where it is readable. */
  dataConverter?: DataConverter | undefined;
}

/** The options of a worker that are those of its place. */
export function placeOf({ connection, namespace, dataConverter }: WorkerPlace) {
  return { connection, namespace, ...(dataConverter ? { dataConverter } : {}) };
}
