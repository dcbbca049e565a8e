import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { PostgresConnection, type Unit } from './postgres-connection.ts';
import {
  ASK_FOR_PASSWORD,
  errorResponse,
  firstColumn,
  type Message,
  message,
  ProtocolError,
  passwordOf,
  startupAnswer,
  summarize,
} from './postgres-protocol.ts';

/** Runs complete protocol messages in the only session, and returns the complete response. Synchronous. */
export type Execute = (messages: Buffer) => Buffer;

/** Options of {@link servePostgres}. */
export interface WireOptions {
  readonly execute: Execute;
  readonly host: string;
  readonly port: number;
  /** Every program of this machine can reach the port; only those that know the password can connect. */
  readonly password: string;
  /** How long a client may hold the session without sending a message, while all others wait. Then it is disconnected. Default 30 s. */
  readonly idleInTransactionMs?: number;
  /** Called if the session broke: nothing works from then on. */
  readonly onFatal: (error: Error) => void;
}

/** A listening server. */
export interface Wire {
  readonly port: number;
  /** Runs `work` in the session once no client holds it, in turn with the clients. */
  exclusive(work: (query: (sql: string) => string[]) => void): void;
  /** Stops listening and tells the clients. Open transactions are rolled back. */
  close(): Promise<void>;
}

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const MAX_CONNECTIONS = 200;
/** A tenth of the time that Postgres gives a client to authenticate: here the client is on the same machine. */
const AUTHENTICATION_MS = 6_000;
/** Sent to clients in the startup phase; drivers need them to parse values, and to tell a primary from a standby. */
const REPORTED = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
  'default_transaction_read_only',
  'in_hot_standby',
];

const SYNC = message('S');

/**
 * Serves one Postgres session to many clients over TCP. A client has the session to itself from its first message until a
 * ReadyForQuery with status idle: for a whole extended-query exchange and for a whole transaction. The others wait in line,
 * first come, first served. Everything set for the session (`SET`, `SET ROLE`, temporary tables, advisory locks) holds for
 * all clients; only prepared statements are kept apart.
 */
export async function servePostgres(options: WireOptions): Promise<Wire> {
  const connections = new Set<PostgresConnection>();
  const waiting: (PostgresConnection | (() => void))[] = [];
  let owner: PostgresConnection | undefined;
  let ownerTimer: NodeJS.Timeout | undefined;
  let scheduled = false;
  let broken = false;

  const execute: Execute = (messages) => {
    try {
      return options.execute(messages);
    } catch (cause) {
      broken = true;
      options.onFatal(cause instanceof Error ? cause : new Error(String(cause)));
      throw cause;
    }
  };
  const query = (sql: string): string[] => firstColumn(execute(message('Q', sql)));
  const parameters = new Map(REPORTED.map((name) => [name, query(`SHOW ${name}`)[0] ?? '']));

  const schedule = (): void => {
    if (scheduled || broken) return;
    scheduled = true;
    // One unit per turn of the event loop. Sockets are read in between, so no client waits long.
    setImmediate(() => {
      scheduled = false;
      runNext();
    });
  };

  const enqueue = (connection: PostgresConnection): void => {
    if (connection !== owner && !connection.queued && connection.units.length > 0) {
      connection.queued = true;
      waiting.push(connection);
    }
    schedule();
  };

  const runNext = (): void => {
    if (broken) return;
    try {
      if (owner) {
        if (canRun(owner)) runUnit(owner);
      } else {
        const next = waiting.shift();
        if (typeof next === 'function') next();
        else if (next) {
          next.queued = false;
          if (canRun(next)) runUnit(next);
        }
      }
    } catch {
      if (broken) return; // onFatal was called
    }
    if (owner ? canRun(owner) : waiting.length > 0) schedule();
  };

  const canRun = (connection: PostgresConnection): boolean =>
    !connection.closed && connection.units.length > 0 && !connection.socket.writableNeedDrain;

  const runUnit = (connection: PostgresConnection): void => {
    clearTimeout(ownerTimer);
    const unit = connection.units.shift() as Unit;
    owner = connection;
    const answer = execute(unit.bytes);
    const { status, notifications } = summarize(answer);
    if (answer.length > 0) connection.socket.write(answer);
    for (const notification of notifications) {
      for (const other of connections) {
        if (other !== connection && other.started) other.socket.write(notification);
      }
    }
    if (unit.synced && status === 'I') owner = undefined;
    else ownerTimer = setTimeout(evictOwner, options.idleInTransactionMs ?? 30_000);
    if (connection.units.length > 0) {
      if (owner !== connection) enqueue(connection);
    } else if (connection.leaving) leave(connection);
    else connection.socket.resume();
  };

  const leave = (connection: PostgresConnection): void => {
    closed(connection);
    connection.socket.end();
    connection.socket.destroySoon();
  };

  const evictOwner = (): void => {
    if (!owner) return;
    fail(owner, '25P03', 'idle too long inside a transaction: the embedded database has one session, others wait');
  };

  /** Cleans up the session: ends open transactions, unread messages and prepared statements. */
  const release = (connection: PostgresConnection): void => {
    const deallocation = connection.deallocate();
    try {
      if (owner === connection) {
        clearTimeout(ownerTimer);
        // After an error, Postgres skips everything up to Sync, so it may not have seen the first ROLLBACK.
        const first = execute(Buffer.concat([message('Q', 'ROLLBACK'), SYNC]));
        if (summarize(first).status !== 'I') query('ROLLBACK');
        owner = undefined;
      }
      if (deallocation) {
        const deallocate = (): void => void execute(deallocation);
        if (owner) waiting.push(deallocate);
        else deallocate();
      }
    } catch {
      // The session broke; onFatal was called.
    }
    schedule();
  };

  const fail = (connection: PostgresConnection, code: string, text: string): void => {
    connection.socket.write(errorResponse('FATAL', code, text));
    connection.socket.setTimeout(1000, () => connection.socket.destroy()); // if the client does not read
    leave(connection);
  };

  const closed = (connection: PostgresConnection): void => {
    if (connection.closed) return;
    connection.closed = true;
    connections.delete(connection);
    if (!broken) release(connection);
  };

  const startup = (connection: PostgresConnection, code: number): void => {
    if (code === SSL_REQUEST || code === GSS_REQUEST) connection.socket.write('N');
    else if (code === CANCEL_REQUEST) connection.socket.end();
    else if (code >>> 16 !== 3) fail(connection, '0A000', `unsupported frontend protocol ${code >>> 16}`);
    else if (connections.size > MAX_CONNECTIONS) fail(connection, '53300', 'too many connections');
    else {
      connection.asked = true;
      connection.socket.write(ASK_FOR_PASSWORD);
    }
  };

  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(options.password);
  const authenticate = (connection: PostgresConnection, said: Message): void => {
    if (said.type !== 'p' || !timingSafeEqual(digest(passwordOf(said)), expected)) {
      fail(
        connection,
        '28P01',
        'password authentication failed: the URL with the password is in owner.json of HAPAX_HOME',
      );
      return;
    }
    connection.started = true;
    connection.socket.setTimeout(0);
    connection.socket.write(startupAnswer(connection.id, randomInt(2 ** 32), parameters));
  };

  const received = (connection: PostgresConnection, chunk: Buffer): void => {
    try {
      connection.receive(
        chunk,
        (code) => startup(connection, code),
        (said) => authenticate(connection, said),
      );
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      fail(connection, '08P01', error.message);
    }
    if (connection.closed) return;
    if (connection.units.length > 0) {
      connection.socket.pause(); // until its units have run: this limits what a client may send ahead
      enqueue(connection);
    } else if (connection.leaving) leave(connection);
  };

  let lastId = 0;
  const server: Server = createServer({ noDelay: true }, (socket) => {
    lastId += 1;
    const connection = new PostgresConnection(lastId, socket);
    connections.add(connection);
    socket.setTimeout(AUTHENTICATION_MS, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => received(connection, chunk));
    socket.on('drain', () => enqueue(connection));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => closed(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();

  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    exclusive(work) {
      waiting.push(() => work(query));
      schedule();
    },
    async close() {
      const done = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of [...connections]) fail(connection, '57P01', 'the embedded database is stopping');
      broken = true;
      await done;
    },
  };
}
