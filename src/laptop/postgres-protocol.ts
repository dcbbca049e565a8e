/**
 * The parts of Postgres' wire protocol (version 3) that a server needs to forward messages without understanding SQL: how
 * to cut the byte stream into messages, name statements, and write its own responses.
 */

/** One frontend message, header included. */
export interface Message {
  readonly type: string;
  readonly bytes: Buffer;
}

/** A broken stream: nothing after it can be trusted, so the connection ends. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

/** Postgres itself allows 1 GB; here a message is held in memory several times over. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;
const MAX_STARTUP_BYTES = 10_000;
/** Anything else would make Postgres end the process, and with it all other connections. */
const KNOWN_TYPES = new Set('QPBDCEFHSXdcfp');

/** Cuts arriving bytes into messages. It puts a large message together once, not per chunk. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Returns the next startup packet (which has no type byte), or undefined until it is complete. */
  takeStartup(): { code: number; bytes: Buffer } | undefined {
    if (this.#length < 8) return undefined;
    const head = this.#peek(8);
    const length = head.readUInt32BE(0);
    if (length < 8 || length > MAX_STARTUP_BYTES) throw new ProtocolError('invalid length of startup packet');
    if (this.#length < length) return undefined;
    return { code: head.readUInt32BE(4), bytes: this.#take(length) };
  }

  /** Returns the next complete message, or undefined until there is one. @throws {ProtocolError} for one beyond the limit. */
  takeMessage(maxBytes = MAX_MESSAGE_BYTES): Message | undefined {
    if (this.#length < 5) return undefined;
    const head = this.#peek(5);
    const type = String.fromCharCode(head[0] ?? 0);
    const length = head.readUInt32BE(1);
    if (!KNOWN_TYPES.has(type)) throw new ProtocolError(`invalid frontend message type ${head[0]}`);
    if (length < 4 || length > maxBytes) throw new ProtocolError(`invalid message length ${length}`);
    if (this.#length < length + 1) return undefined;
    return { type, bytes: this.#take(length + 1) };
  }

  #peek(bytes: number): Buffer {
    if ((this.#chunks[0]?.length ?? 0) < bytes) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #take(bytes: number): Buffer {
    const first = this.#peek(bytes);
    this.#length -= bytes;
    if (first.length === bytes) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(bytes);
    return first.subarray(0, bytes);
  }
}

/** Returns a message of the given type. Strings in the body end with a zero byte. */
export function message(type: string, ...body: readonly (string | Buffer)[]): Buffer {
  const parts = body.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(4 + parts.reduce((sum, part) => sum + part.length, 0), 1);
  return Buffer.concat([head, ...parts]);
}

/** Returns an ErrorResponse. */
export function errorResponse(severity: 'ERROR' | 'FATAL', code: string, text: string): Buffer {
  return message('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.of(0));
}

/** A request for the password in clear text: it crosses loopback only, where nobody but root can listen. */
export const ASK_FOR_PASSWORD = message('R', Buffer.from([0, 0, 0, 3]));

/** Returns the text of a PasswordMessage. */
export function passwordOf({ bytes }: Message): string {
  return bytes.toString('utf8', 5, bytes.length - 1);
}

/** Returns the end of the startup phase: the client is authenticated, gets the settings, and may send queries. */
export function startupAnswer(id: number, secret: number, parameters: ReadonlyMap<string, string>): Buffer {
  const key = Buffer.alloc(8);
  key.writeUInt32BE(id, 0);
  key.writeUInt32BE(secret, 4);
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...[...parameters].map(([name, value]) => message('S', name, value)),
    message('K', key),
    message('Z', Buffer.from('I')),
  ]);
}

/**
 * Returns the same message with its prepared statement renamed. All clients share one session. Two that chose the same name
 * (drivers count from 1) would otherwise run each other's statements. The unnamed statement keeps its (empty) name.
 */
export function renameStatement({ type, bytes }: Message, rename: (name: string) => string): Buffer {
  let start = 5;
  if (type === 'B') start = bytes.indexOf(0, 5) + 1;
  else if ((type === 'D' || type === 'C') && bytes[5] === 0x53) start = 6;
  else if (type !== 'P') return bytes;
  const end = bytes.indexOf(0, start);
  if (start === 0 || end < 0) throw new ProtocolError(`message ${type} without a name`);
  if (end === start) return bytes;
  const name = bytes.toString('utf8', start, end);
  return message(type, bytes.subarray(5, start), rename(name), bytes.subarray(end + 1));
}

/** Returns the prepared statement that a Close message ends ('' if it ends a portal). */
export function closedStatement({ bytes }: Message): string {
  return bytes[5] === 0x53 ? bytes.toString('utf8', 6, bytes.length - 1) : '';
}

/** The facts that the server needs from a response that it forwards. */
export interface AnswerSummary {
  /** Status of the last ReadyForQuery: I idle, T in a transaction, E in a failed one; undefined if there was none. */
  readonly status: 'I' | 'T' | 'E' | undefined;
  readonly notifications: readonly Buffer[];
}

/** Reads what the server needs from the complete messages of a response. */
export function summarize(answer: Buffer): AnswerSummary {
  let status: AnswerSummary['status'];
  const notifications: Buffer[] = [];
  for (let at = 0; at + 5 <= answer.length; ) {
    const end = at + 1 + answer.readUInt32BE(at + 1);
    if (answer[at] === 0x5a) status = String.fromCharCode(answer[at + 5] ?? 0) as 'I' | 'T' | 'E';
    else if (answer[at] === 0x41) notifications.push(answer.subarray(at, end));
    at = end;
  }
  return { status, notifications };
}

/** Returns the first column of each row of a response, as text. @throws the error of the response, if it has one. */
export function firstColumn(answer: Buffer): string[] {
  const values: string[] = [];
  for (let at = 0; at + 5 <= answer.length; ) {
    const end = at + 1 + answer.readUInt32BE(at + 1);
    if (answer[at] === 0x45) {
      const fields = answer.toString('utf8', at + 5, end).split('\0');
      throw new Error(fields.find((field) => field.startsWith('M'))?.slice(1) ?? 'unknown error of Postgres');
    }
    if (answer[at] === 0x44) values.push(answer.toString('utf8', at + 11, at + 11 + answer.readInt32BE(at + 7)));
    at = end;
  }
  return values;
}
