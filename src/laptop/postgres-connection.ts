import type { Socket } from 'node:net';
import { closedStatement, type Message, MessageReader, message, renameStatement } from './postgres-protocol.ts';

/** Messages of one connection that can be run together. */
export interface Unit {
  readonly bytes: Buffer;
  /** Whether it ends with Query, Sync or a function call, so that a ReadyForQuery follows. */
  readonly synced: boolean;
}

/** The most that we hold of what a client sends before it has authenticated. */
const MAX_PASSWORD_BYTES = 1_000;
/** A unit of this size is passed on before it is complete, so that memory stays bounded. */
const UNIT_BYTES = 1024 * 1024;
/**
 * A message that ends a COPY FROM STDIN, which would read past the last message, find the end of input, and end the whole process. Outside
 * a COPY this message is ignored, so it follows every message that can start one.
 */
const COPY_FAIL = message('f', 'COPY FROM STDIN is not supported by the embedded database');
let statementCount = 0;

/** The messages of one client, cut into units that can be run. */
export class PostgresConnection {
  readonly id: number;
  readonly socket: Socket;
  /** Complete units that wait for their turn, in order. */
  readonly units: Unit[] = [];
  started = false;
  /** Whether the client was asked for the password and has not sent it yet. */
  asked = false;
  /** Whether the connection already waits in line. */
  queued = false;
  /** Whether the client has sent Terminate. Its earlier messages still run. */
  leaving = false;
  closed = false;
  readonly #reader = new MessageReader();
  /** Names of prepared statements: the client's, and that in the session. */
  readonly #statements = new Map<string, string>();
  #gathering: Buffer[] = [];
  #gatheredBytes = 0;
  /** Whether the last message left an extended-query exchange open. */
  #unsynced = false;

  constructor(id: number, socket: Socket) {
    this.id = id;
    this.socket = socket;
  }

  /**
   * Takes bytes that have arrived. `startup` responds to a startup packet, and may ask for the password or close the
   * connection. `authenticate` gets the next message, and may start or close the connection.
   */
  receive(chunk: Buffer, startup: (code: number) => void, authenticate: (said: Message) => void): void {
    if (this.closed || this.leaving) return;
    this.#reader.push(chunk);
    while (!this.started && !this.closed) {
      const packet = this.asked ? undefined : this.#reader.takeStartup();
      const said = this.asked ? this.#reader.takeMessage(MAX_PASSWORD_BYTES) : undefined;
      if (packet) startup(packet.code);
      else if (said) authenticate(said);
      else return;
    }
    while (!this.closed && !this.leaving) {
      const next = this.#reader.takeMessage();
      if (!next) return;
      if (next.type === 'X') this.leaving = true;
      else this.#gather(next);
    }
  }

  /** Returns messages that end all statements that the client prepared, if any. */
  deallocate(): Buffer | undefined {
    const closes = [...this.#statements.values()].map((name) => message('C', Buffer.from('S'), name));
    this.#statements.clear();
    return closes.length > 0 ? Buffer.concat([...closes, message('S')]) : undefined;
  }

  #gather(next: Message): void {
    if ('dcfp'.includes(next.type)) return; // data of a COPY that was already refused
    if (next.type === 'H' && !this.#unsynced) return; // nothing to flush, and no reason to take the session
    this.#add(renameStatement(next, (name) => this.#rename(name)));
    if (next.type === 'C') this.#statements.delete(closedStatement(next));
    if (next.type === 'Q' || next.type === 'E') this.#add(COPY_FAIL);
    const synced = 'QSF'.includes(next.type);
    this.#unsynced = !synced;
    if (synced || next.type === 'H' || this.#gatheredBytes > UNIT_BYTES) {
      this.units.push({ bytes: Buffer.concat(this.#gathering), synced });
      this.#gathering = [];
      this.#gatheredBytes = 0;
    }
  }

  #add(bytes: Buffer): void {
    this.#gathering.push(bytes);
    this.#gatheredBytes += bytes.length;
  }

  #rename(name: string): string {
    const known = this.#statements.get(name);
    if (known) return known;
    statementCount += 1;
    const renamed = `hapax_${this.id}_${statementCount}`;
    this.#statements.set(name, renamed);
    return renamed;
  }
}
