import { setTimeout as delay } from 'node:timers/promises';
import { startTemporalServer, type TemporalServer, type TemporalServerOptions } from './temporal-server.ts';

/** A server that ends by itself this many times in a row, each time within a minute, is not started again. */
const MAX_RESTARTS = 5;
const STEADY_AFTER_MS = 60_000;

export interface SupervisedTemporal {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** Resolves with the reason when the server keeps ending and is not started again. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

/** Starts Temporal's dev server. If it ends by itself, starts it again on the same ports and data. */
export async function superviseTemporal(
  options: TemporalServerOptions & { report: (line: string) => void },
): Promise<SupervisedTemporal> {
  let server: TemporalServer = await startTemporalServer(options);
  const ports = {
    port: Number(server.address.split(':').at(-1)),
    uiPort: server.uiUrl === undefined ? null : Number(new URL(server.uiUrl).port),
  };
  let closing = false;

  async function supervise(): Promise<Error> {
    for (let restarts = 0; ; ) {
      const startedAt = Date.now();
      const { code, signal, lastLines } = await server.exited;
      if (closing) return new Promise(() => {});
      restarts = Date.now() - startedAt > STEADY_AFTER_MS ? 1 : restarts + 1;
      const how = signal ?? `code ${code}`;
      if (restarts > MAX_RESTARTS)
        return new Error(`the Temporal server ended ${restarts} times (${how}):\n${lastLines}`);
      options.report(`the Temporal server ended (${how}); starting it again`);
      await delay(100 * 2 ** restarts);
      if (closing) return new Promise(() => {});
      try {
        server = await startTemporalServer({ ...options, ...ports });
        if (closing) await server.close();
      } catch (error) {
        return error as Error;
      }
    }
  }

  return {
    address: server.address,
    uiUrl: server.uiUrl,
    failed: supervise(),
    async close() {
      closing = true;
      await server.close();
    },
  };
}
