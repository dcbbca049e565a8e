import type { Socket } from 'node:net';
import { closedStatement, type Message, MessageReader, message, renameStatement } from './postgres-protocol.ts';

/** Messages of one connection that can be run together. */
export interface Unit {
  readonly bytes: Buffer;
  /** Ends with Query, Sync or a function call, so a ReadyForQuery will follow. */
  readonly synced: boolean;
}

/** Until it has said the password a client may not have us hold much. */
const MAX_PASSWORD_BYTES = 1_000;
/** A unit this large is passed on before its end has come, so that memory stays bounded. */
const UNIT_BYTES = 1024 * 1024;
/** COPY FROM STDIN would read on beyond the messages there are, find the end of input, and end the whole process.
 * Outside of a COPY this message is ignored, so it follows all that can start one. */
const COPY_FAIL = message('f', 'COPY FROM STDIN is not supported by the embedded database');
let statementCount = 0;

/** What one client has sent, made ready to be run. */
export class PostgresConnection {
  readonly id: number;
  readonly socket: Socket;
  /** Complete, in order, waiting for their turn. */
  readonly units: Unit[] = [];
  started = false;
  /** Has been asked for the password, and has not said it. */
  asked = false;
  /** Whether it waits in line already. */
  queued = false;
  /** The client said goodbye: what it asked before still runs. */
  leaving = false;
  closed = false;
  readonly #reader = new MessageReader();
  /** Statement names as the client knows them, and as the session does. */
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
   * Takes what has arrived. `startup` answers a startup packet, and may ask for the password or close the connection;
   * `authenticate` hears what is said after that, and may start or close it.
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

  /** Messages that end all statements the client prepared, if any. */
  deallocate(): Buffer | undefined {
    const closes = [...this.#statements.values()].map((name) => message('C', Buffer.from('S'), name));
    this.#statements.clear();
    return closes.length > 0 ? Buffer.concat([...closes, message('S')]) : undefined;
  }

  #gather(next: Message): void {
    if ('dcfp'.includes(next.type)) return; // data of a COPY that has been refused already
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
