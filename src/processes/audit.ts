import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { RecordedEvent } from '../contracts/builds/event.ts';
import { exportedEvent } from '../contracts/builds/exported-event.ts';
import { readSettings, type Settings } from '../contracts/settings.ts';
import { LogAudit, StreamHeads } from '../domain/record/log-audit.ts';
import { UserError } from '../laptop/user-error.ts';
import { readSnapshot } from '../store/database.ts';
import { scanEventsByPosition } from '../store/record/event-scan-by-position.ts';
import { auditRecord } from '../store/record/record-audit.ts';
import { strangeness } from '../store/record/stream-kinds.ts';
import { withRecord } from './record-database.ts';

const USAGE = `hapax audit export [--out FILE]            writes the event log as NDJSON, one event per line, in order
hapax audit verify [FILE] [--head DIGEST]  verifies the record, or such a file

Export prints a digest to standard error ("head"). Keep it in another place. With --head, verify then shows whether events
are missing. Without FILE and DATABASE_URL, the command reads the embedded database in HAPAX_HOME, even while "hapax up" runs.`;

/** `hapax audit`: the record for a third party, and what a third party does with it. */
export async function runAudit(argv: string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { command, file, out, head, help } = readArguments(argv);
  if (help) return console.log(USAGE);
  if (command === 'export') return exportLog(readSettings(environment, 'audit'), out);
  return file === undefined ? verifyRecord(readSettings(environment, 'audit'), head) : verifyFile(file, head);
}

function readArguments(argv: string[]) {
  const options = { out: { type: 'string' }, head: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
    const [command, file, more] = positionals;
    const fits =
      command === 'export'
        ? file === undefined && values.head === undefined
        : command === 'verify' && more === undefined && values.out === undefined;
    if (!fits && !values.help) throw new Error('say what to do: export or verify');
    if (values.head !== undefined && !/^[0-9a-f]{64}$/.test(values.head)) throw new Error('--head needs 64 hex digits');
    return { ...values, command, file };
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

async function exportLog(settings: Settings, out: string | undefined): Promise<void> {
  if (out !== undefined && existsSync(out)) throw new UserError(`${out} exists; an export does not overwrite a file`);
  const heads = new StreamHeads();
  let events = 0;
  async function* lines(log: AsyncIterable<RecordedEvent>) {
    for await (const event of log) {
      events += 1;
      heads.add(event);
      yield `${JSON.stringify(event)}\n`;
    }
  }
  await withRecord(settings, { role: settings.DATABASE_ROLE, shared: true }, (db) =>
    readSnapshot(db, async (snapshot) => {
      const source = Readable.from(lines(scanEventsByPosition(snapshot)));
      if (out === undefined) await pipeline(source, process.stdout, { end: false }).catch(readerGone);
      // Under another name until it is whole and on the disk.
      else await pipeline(source, createWriteStream(`${out}.part`, { mode: 0o600, flush: true })).catch(notWritten);
    }),
  );
  if (out !== undefined) await rename(`${out}.part`, out);
  console.error(`${events} events, ${heads.size} streams, head ${heads.digest()}`);
}

/** As where the output goes to `head`. */
function readerGone(error: NodeJS.ErrnoException): never {
  throw error.code === 'EPIPE' ? new UserError('nobody read the export to its end') : error;
}

/** As where the directory is not there, or the disk is full. */
function notWritten(error: NodeJS.ErrnoException): never {
  throw error.syscall === undefined ? error : new UserError(`cannot write the export: ${error.message}`);
}

async function verifyRecord(settings: Settings, head: string | undefined): Promise<void> {
  const audit = new LogAudit();
  await withRecord(settings, { role: settings.DATABASE_ROLE, shared: true }, (db) =>
    readSnapshot(db, async (snapshot) => {
      const report = new Report(audit);
      for await (const { stream, seq, fault } of auditRecord(snapshot, audit)) {
        report.fault(`${stream} event ${seq}: ${fault}`);
      }
      report.close(head);
    }),
  );
}

async function verifyFile(file: string, head: string | undefined): Promise<void> {
  const audit = new LogAudit();
  const report = new Report(audit);
  let number = 0;
  let position = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      const event = readEvent(line);
      if (!event) {
        report.fault(`line ${number}: is not an event`);
        continue;
      }
      const place = `${event.stream} event ${event.seq}`;
      if (event.position <= position) report.fault(`${place}: line ${number} was moved: its position is not the next`);
      position = event.position;
      const fault = audit.add(event);
      if (fault) report.fault(`${event.stream} event ${fault.seq}: ${fault.fault}`);
      const strange = strangeness(event);
      if (strange) report.fault(`${place}: cannot stand here: ${strange}`);
    }
  } catch (error) {
    if ('code' in (error as Error)) throw new UserError(`cannot read ${file}: ${(error as Error).message}`);
    throw error;
  }
  report.close(head);
}

function readEvent(line: string): RecordedEvent | undefined {
  try {
    return exportedEvent.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Prints each fault, and the outcome at the end. */
class Report {
  readonly #audit: LogAudit;
  #faults = 0;

  constructor(audit: LogAudit) {
    this.#audit = audit;
  }

  fault(line: string): void {
    this.#faults += 1;
    console.log(line);
  }

  /** @throws {UserError} where anything is not sound. */
  close(expected: string | undefined): void {
    const { events, heads } = this.#audit;
    const digest = heads.digest();
    if (expected !== undefined && expected !== digest) {
      this.fault(`the head is not ${expected}: events were removed, added or replaced`);
    }
    const extent = `${events} events, ${heads.size} streams`;
    if (this.#faults > 0) throw new UserError(`${extent}, ${this.#faults} faults, head ${digest}`);
    console.log(`head ${digest}`);
    console.log(`${extent}, sound`);
  }
}
