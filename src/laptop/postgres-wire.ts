import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import {
  closedStatement,
  errorResponse,
  firstColumn,
  type Message,
  MessageReader,
  message,
  ProtocolError,
  renameStatement,
  startupAnswer,
  summarize,
} from './postgres-protocol.ts';

/** Runs complete protocol messages in the one session there is, and returns the complete answer. Synchronous. */
export type Execute = (messages: Buffer) => Buffer;

/** Options of {@link servePostgres}. */
export interface WireOptions {
  readonly execute: Execute;
  readonly host: string;
  readonly port: number;
  /** A client that keeps the session and says nothing for this long is cut off; all others wait for it. Default 30 s. */
  readonly idleInTransactionMs?: number;
  /** The session broke: nothing works from here on. */
  readonly onFatal: (error: Error) => void;
}

/** A listening server. */
export interface Wire {
  readonly port: number;
  /** Runs `work` in the session as soon as no client holds it, in turn with the clients. */
  exclusive(work: (query: (sql: string) => string[]) => void): void;
  /** Stops listening and tells clients; open transactions are rolled back. */
  close(): Promise<void>;
}

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const MAX_CONNECTIONS = 200;
/** A unit this large is passed on before its end has come, so that memory stays bounded. */
const UNIT_BYTES = 1024 * 1024;
/** Told to clients in the startup phase; drivers decide by them how to read values. */
const REPORTED = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
];

const SYNC = message('S');
/** COPY FROM STDIN would read on beyond the messages there are, find the end of input, and end the whole process.
 * Outside of a COPY this message is ignored, so it follows all that can start one. */
const COPY_FAIL = message('f', 'COPY FROM STDIN is not supported by the embedded database');

/** Messages of one connection that can be run together. */
interface Unit {
  readonly bytes: Buffer;
  /** Ends with Query, Sync or a function call, so a ReadyForQuery will follow. */
  readonly synced: boolean;
}

interface Connection {
  readonly id: number;
  readonly socket: Socket;
  readonly reader: MessageReader;
  /** Statement names as the client knows them, and as the session does. */
  readonly statements: Map<string, string>;
  readonly units: Unit[];
  /** Messages that do not make a unit yet, and their size. */
  gathering: Buffer[];
  gathered_bytes: number;
  /** Whether the last message left an extended-query exchange open. */
  unsynced: boolean;
  started: boolean;
  queued: boolean;
  /** The client said goodbye: what it asked before still runs. */
  leaving: boolean;
  closed: boolean;
}

/**
 * Serves one Postgres session to many clients over TCP. A client has the session to itself from its first message
 * until a ReadyForQuery with status idle: over a whole extended-query exchange and over a whole transaction. The
 * others wait in line, first come, first served. Whatever is set for the session (`SET`, `SET ROLE`, temporary
 * tables, advisory locks) holds for all clients; only prepared statements are kept apart.
 */
export async function servePostgres(options: WireOptions): Promise<Wire> {
  const connections = new Set<Connection>();
  const waiting: (Connection | (() => void))[] = [];
  let owner: Connection | undefined;
  let ownerTimer: NodeJS.Timeout | undefined;
  let scheduled = false;
  let broken = false;
  let statementCount = 0;

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
    // One unit per turn of the event loop: sockets are read in between, so that nobody's turn comes late.
    setImmediate(() => {
      scheduled = false;
      runNext();
    });
  };

  const enqueue = (connection: Connection): void => {
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
      if (broken) return; // onFatal has told it
    }
    if (owner ? canRun(owner) : waiting.length > 0) schedule();
  };

  const canRun = (connection: Connection): boolean =>
    !connection.closed && connection.units.length > 0 && !connection.socket.writableNeedDrain;

  const runUnit = (connection: Connection): void => {
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

  const leave = (connection: Connection): void => {
    closed(connection);
    connection.socket.end();
    connection.socket.destroySoon();
  };

  const evictOwner = (): void => {
    if (!owner) return;
    fail(owner, '25P03', 'idle too long inside a transaction: the embedded database has one session, others wait');
  };

  /** Leaves nothing behind in the session: no open transaction, no unread messages, no prepared statements. */
  const release = (connection: Connection): void => {
    const closes = [...connection.statements.values()].map((name) => message('C', Buffer.from('S'), name));
    connection.statements.clear();
    try {
      if (owner === connection) {
        clearTimeout(ownerTimer);
        // After an error Postgres skips all up to Sync, so the first ROLLBACK may not have been seen.
        const first = execute(Buffer.concat([message('Q', 'ROLLBACK'), SYNC]));
        if (summarize(first).status !== 'I') query('ROLLBACK');
        owner = undefined;
      }
      if (closes.length > 0) {
        const deallocate = (): void => void execute(Buffer.concat([...closes, SYNC]));
        if (owner) waiting.push(deallocate);
        else deallocate();
      }
    } catch {
      // The session broke; onFatal has told it.
    }
    schedule();
  };

  const fail = (connection: Connection, code: string, text: string): void => {
    connection.socket.write(errorResponse('FATAL', code, text));
    connection.socket.setTimeout(1000, () => connection.socket.destroy()); // if the client does not read
    leave(connection);
  };

  const closed = (connection: Connection): void => {
    if (connection.closed) return;
    connection.closed = true;
    connections.delete(connection);
    if (!broken) release(connection);
  };

  const rename = (connection: Connection, name: string): string => {
    const known = connection.statements.get(name);
    if (known) return known;
    statementCount += 1;
    const renamed = `hapax_${connection.id}_${statementCount}`;
    connection.statements.set(name, renamed);
    return renamed;
  };

  const startup = (connection: Connection, code: number): void => {
    if (code === SSL_REQUEST || code === GSS_REQUEST) connection.socket.write('N');
    else if (code === CANCEL_REQUEST) connection.socket.end();
    else if (code >>> 16 !== 3) fail(connection, '0A000', `unsupported frontend protocol ${code >>> 16}`);
    else if (connections.size > MAX_CONNECTIONS) fail(connection, '53300', 'too many connections');
    else {
      connection.started = true;
      connection.socket.write(startupAnswer(connection.id, randomInt(2 ** 32), parameters));
    }
  };

  const gather = (connection: Connection, next: Message): void => {
    if ('dcfp'.includes(next.type)) return; // data of a COPY that has been refused already
    if (next.type === 'H' && !connection.unsynced) return; // nothing to flush, and no reason to take the session
    const add = (bytes: Buffer): void => {
      connection.gathering.push(bytes);
      connection.gathered_bytes += bytes.length;
    };
    add(renameStatement(next, (name) => rename(connection, name)));
    if (next.type === 'C') connection.statements.delete(closedStatement(next));
    if (next.type === 'Q' || next.type === 'E') add(COPY_FAIL);
    const synced = 'QSF'.includes(next.type);
    connection.unsynced = !synced;
    if (synced || next.type === 'H' || connection.gathered_bytes > UNIT_BYTES) {
      connection.units.push({ bytes: Buffer.concat(connection.gathering), synced });
      connection.gathering = [];
      connection.gathered_bytes = 0;
    }
  };

  const received = (connection: Connection, chunk: Buffer): void => {
    if (connection.closed || connection.leaving) return;
    connection.reader.push(chunk);
    try {
      while (!connection.started && !connection.closed) {
        const packet = connection.reader.takeStartup();
        if (!packet) return;
        startup(connection, packet.code);
      }
      while (!connection.closed && !connection.leaving) {
        const next = connection.reader.takeMessage();
        if (!next) break;
        if (next.type === 'X') connection.leaving = true;
        else gather(connection, next);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      fail(connection, '08P01', error.message);
      return;
    }
    if (connection.closed) return;
    if (connection.units.length > 0) {
      connection.socket.pause(); // until its units have run: what a client may send ahead is bounded
      enqueue(connection);
    } else if (connection.leaving) leave(connection);
  };

  let lastId = 0;
  const server: Server = createServer({ noDelay: true }, (socket) => {
    lastId += 1;
    const connection: Connection = {
      id: lastId,
      socket,
      reader: new MessageReader(),
      statements: new Map(),
      units: [],
      gathering: [],
      gathered_bytes: 0,
      unsynced: false,
      started: false,
      queued: false,
      leaving: false,
      closed: false,
    };
    connections.add(connection);
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
