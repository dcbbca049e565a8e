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

/** How a server ended, or why it did not start. */
interface End {
  how: string;
  lines: string;
  wasSteady: boolean;
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
    let end = await endOf(server);
    for (let restarts = 0; ; ) {
      if (closing) return new Promise(() => {});
      restarts = end.wasSteady ? 1 : restarts + 1;
      const { how, lines } = end;
      if (restarts > MAX_RESTARTS) return new Error(`the Temporal server ended ${restarts} times (${how}):\n${lines}`);
      options.report(`the Temporal server ended (${[how, reasonIn(lines)].join(': ')}); starting it again`);
      await delay(100 * 2 ** restarts);
      if (closing) return new Promise(() => {});
      end = await restart();
    }
  }

  async function restart(): Promise<End> {
    try {
      server = await startTemporalServer({ ...options, ...ports });
    } catch (error) {
      return { how: 'it did not start', lines: (error as Error).message, wasSteady: false };
    }
    if (closing) await server.close();
    return endOf(server);
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

async function endOf(server: TemporalServer): Promise<End> {
  const startedAt = Date.now();
  const { code, signal, lastLines } = await server.exited;
  return { how: signal ?? `code ${code}`, lines: lastLines, wasSteady: Date.now() - startedAt > STEADY_AFTER_MS };
}

/** Returns the line that says why: what a server that panicked begins with, else the last thing that it said. */
function reasonIn(lines: string): string {
  const all = lines.split('\n').filter((line) => line.trim() !== '');
  return all.find((line) => /^(panic|fatal error):/.test(line)) ?? all.at(-1) ?? 'it said nothing';
}
