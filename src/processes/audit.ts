import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RecordedEvent } from '../contracts/builds/event.ts';
import { exportedEvent } from '../contracts/builds/exported-event.ts';
import { readSettings, type Settings } from '../contracts/settings.ts';
import { LogAudit, StreamHeads } from '../domain/record/log-audit.ts';
import { noteKeyOf, readNoteSigner } from '../domain/record/signed-note.ts';
import { UserError } from '../laptop/user-error.ts';
import { readSnapshot } from '../store/database.ts';
import { scanEventsByPosition } from '../store/record/event-scan-by-position.ts';
import { auditRecord } from '../store/record/record-audit.ts';
import { strangeness } from '../store/record/stream-kinds.ts';
import { AuditReport, keptTreeOf } from './audit-report.ts';
import { linesOf } from './lines.ts';
import { withRecord } from './record-database.ts';

/** What a log is verified against. */
export interface Expected {
  /** The digest that an export printed. */
  head?: string;
  /** The file of a checkpoint that was kept, and the key that signed it. */
  checkpoint?: string;
  key?: string;
}

/** Runs `hapax audit verify`, as a third party would: verifies the record, or a file that was exported. */
export async function verifyAudit(
  file: string | undefined,
  expected: Expected,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const audit = new LogAudit();
  const report = new AuditReport(audit, expected.head, keptTreeOf(expected));
  return file === undefined
    ? verifyRecord(readSettings(environment, 'audit'), audit, report)
    : verifyFile(file, audit, report);
}

/** Runs `hapax audit key`: prints a key that signs checkpoints. @throws {UserError} if the name cannot be one of a key. */
export function printNewKey(name: string): void {
  let secret: string;
  try {
    secret = noteKeyOf(name, randomBytes(32));
  } catch (error) {
    throw new UserError((error as Error).message);
  }
  console.log(`CHECKPOINT_KEY=${secret}`);
  console.error(`Verify checkpoints with: ${readNoteSigner(secret).verifierKey}`);
}

/** Runs `hapax audit export`: writes the event log for a third party. */
export async function exportAudit(out: string | undefined, environment: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(environment, 'audit');
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
      // It has another name until it is whole and on disk.
      else await pipeline(source, createWriteStream(`${out}.part`, { mode: 0o600, flush: true })).catch(notWritten);
    }),
  );
  if (out !== undefined) await rename(`${out}.part`, out);
  console.error(`${events} events, ${heads.size} streams, head ${heads.digest()}`);
}

/** Handles a reader that is gone, as when the output goes to `head`. */
function readerGone(error: NodeJS.ErrnoException): never {
  throw error.code === 'EPIPE' ? new UserError('nobody read the export to its end') : error;
}

/** Handles a file that cannot be written, as when the directory is missing or the disk is full. */
function notWritten(error: NodeJS.ErrnoException): never {
  throw error.syscall === undefined ? error : new UserError(`cannot write the export: ${error.message}`);
}

async function verifyRecord(settings: Settings, audit: LogAudit, report: AuditReport): Promise<void> {
  await withRecord(settings, { role: settings.DATABASE_ROLE, shared: true }, (db) =>
    readSnapshot(db, async (snapshot) => {
      for await (const { stream, seq, fault } of auditRecord(snapshot, audit)) {
        report.fault(`${stream} event ${seq}: ${fault}`);
      }
      // The tree has the events in order of position, not stream by stream.
      if (report.keptTree) for await (const event of scanEventsByPosition(snapshot)) report.keptTree.add(event);
      report.close();
    }),
  );
}

async function verifyFile(file: string, audit: LogAudit, report: AuditReport): Promise<void> {
  let number = 0;
  let position = 0;
  try {
    for await (const line of linesOf(file)) {
      number += 1;
      const event = readEvent(line);
      if (!event) {
        report.fault(`line ${number}: is not an event`);
        continue;
      }
      const place = `${event.stream} event ${event.seq}`;
      if (event.position <= position) report.fault(`${place}: line ${number} was moved: its position is not the next`);
      position = event.position;
      report.keptTree?.add(event);
      const fault = audit.add(event);
      if (fault) report.fault(`${event.stream} event ${fault.seq}: ${fault.fault}`);
      const strange = strangeness(event);
      if (strange) report.fault(`${place}: cannot stand here: ${strange}`);
    }
  } catch (error) {
    if ('code' in (error as Error)) throw new UserError(`cannot read ${file}: ${(error as Error).message}`);
    throw error;
  }
  report.close();
}

function readEvent(line: string): RecordedEvent | undefined {
  try {
    return exportedEvent.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
