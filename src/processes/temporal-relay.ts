import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Logger } from 'pino';

/** A frontend of Temporal. */
export interface Frontend {
  host: string;
  port: number;
}

/** A port of this process that leads to a frontend that responds. */
export interface TemporalRelay {
  /** host:port on loopback. */
  address: string;
  close(): void;
}

export interface RelayOptions {
  /** Whether frontends use TLS. It passes through unchanged: the relay has no key and checks no certificate. */
  tls: boolean;
  /** Gets a line when a frontend goes away or comes back. */
  log?: Pick<Logger, 'warn' | 'info'> | undefined;
  pauses?: RelayPauses;
}

/** Milliseconds. */
export interface RelayPauses {
  /** Between two checks of a frontend. */
  checkMs: number;
  /** How long to wait for the first byte of a frontend. */
  answerMs: number;
}

/**
 * So if the machine of a frontend is gone, or the frontend hangs, its connections hang for at most 10 s; the SDK alone
 * notices after 45.
 */
const PAUSES: RelayPauses = { checkMs: 2_000, answerMs: 3_000 };

/** After this many failed checks in a row, its connections are closed. One check may fail because this process is busy. */
const LOOKS = 2;

/**
 * Passes connections on to several frontends of one Temporal, so that any of them may fail. The SDK connects to one address
 * only; neither its native part nor a name resolver can use a list. Each connection goes to a random frontend that responds
 * at that moment. The relay does not keep the process alive.
 */
export async function startTemporalRelay(
  frontends: readonly Frontend[],
  { tls, log, pauses = PAUSES }: RelayOptions,
): Promise<TemporalRelay> {
  const looks = new Map(frontends.map((frontend) => [frontend, { failed: 0, sockets: new Set<Socket>() }]));
  const answers = (frontend: Frontend) => firstAnswer(frontend, tls, pauses.answerMs);

  const serve = async (client: Socket) => {
    client.on('error', () => {});
    for (const frontend of inOrder(looks)) {
      if (!(await answers(frontend)) || client.destroyed) continue;
      const { sockets } = looks.get(frontend)!;
      const behind = connect(frontend).setNoDelay();
      sockets.add(behind);
      behind
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(behind);
          client.destroy();
        });
      client.on('close', () => behind.destroy());
      client.unref();
      behind.unref();
      client.pipe(behind).pipe(client);
      return;
    }
    client.destroy();
  };

  const look = async (frontend: Frontend) => {
    const state = looks.get(frontend)!;
    const address = `${frontend.host}:${frontend.port}`;
    if (await answers(frontend)) {
      if (state.failed >= LOOKS) log?.info({ address }, 'a Temporal frontend answers again');
      state.failed = 0;
      return;
    }
    state.failed += 1;
    if (state.failed !== LOOKS) return;
    log?.warn({ address }, 'a Temporal frontend does not answer; its connections go to others');
    for (const socket of state.sockets) socket.destroy();
  };

  const server = createServer({ pauseOnConnect: true, noDelay: true }, (client) => void serve(client)).unref();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const timers = new Set<NodeJS.Timeout>();
  const watch = (frontend: Frontend) => {
    const timer = setTimeout(async () => {
      await look(frontend);
      timers.delete(timer);
      if (server.listening) watch(frontend);
    }, pauses.checkMs).unref();
    timers.add(timer);
  };
  for (const frontend of frontends) watch(frontend);
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const timer of timers) clearTimeout(timer);
      for (const { sockets } of looks.values()) for (const socket of sockets) socket.destroy();
    },
  };
}

/** Returns the frontends that responded last, shuffled, then the others. */
function inOrder(looks: ReadonlyMap<Frontend, { failed: number }>): Frontend[] {
  const ranked = [...looks].map(([frontend, { failed }]) => ({ frontend, rank: Math.min(failed, 1) + Math.random() }));
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ frontend }) => frontend);
}

/** The start of an HTTP/2 connection: its preface, and settings that change nothing. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/**
 * Says whether a frontend sends anything in time. The kernel accepts connections for a process that hangs, so a connection
 * alone is no response.
 */
function firstAnswer(frontend: Frontend, tls: boolean, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Over TLS, this sends nothing and trusts nothing: clients check the certificate.
    const socket = tls
      ? connectTls({ ...frontend, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      : connect(frontend, () => socket.write(PREFACE));
    const end = (answered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(end, withinMs, false).unref();
    socket.unref();
    socket.once('data', () => end(true));
    socket.once('secureConnect', () => end(true));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      // If TLS complains, the frontend has responded.
      end(code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'));
    });
    socket.once('close', () => end(false));
  });
}
