import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { RecordedEvent } from '../contracts/builds/event.ts';
import { exportedEvent } from '../contracts/builds/exported-event.ts';
import { LogAudit } from '../domain/record/log-audit.ts';
import { UserError } from '../laptop/user-error.ts';
import { linesOf } from './lines.ts';

const file = z.object({ path: z.string(), lines: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** The contents of a backup's `manifest.json`. File names are relative to it. */
export const manifest = z.object({
  format: z.literal(1),
  hapax: z.string(),
  created_at: z.iso.datetime(),
  installation: z.object({ id: z.uuid(), epoch: z.int(), reconciled_at: z.string().nullable() }),
  last_build_id: z.int(),
  /** The digest of all heads of the log, as `hapax audit` prints it. */
  head: z.string(),
  events: file,
  tables: z.array(file.extend({ name: z.string(), columns: z.array(z.string()) })),
  /** Documents that contents refer to. If one is not included, it stays where it is stored. */
  blobs: z.array(z.object({ key: z.string(), sha256: z.string(), included: z.boolean() })),
});
export type Manifest = z.infer<typeof manifest>;
export type BackupFile = z.infer<typeof file>;

/** Writes lines to a file of a backup. */
export async function writeLines(directory: string, path: string, lines: AsyncIterable<string>): Promise<BackupFile> {
  const digest = createHash('sha256');
  let count = 0;
  async function* hashed() {
    for await (const line of lines) {
      const text = `${line}\n`;
      digest.update(text);
      count += 1;
      yield text;
    }
  }
  await pipeline(Readable.from(hashed()), createWriteStream(join(directory, path), { mode: 0o600, flush: true }));
  return { path, lines: count, sha256: digest.digest('hex') };
}

/** Reads the lines of a file of a backup. @throws {UserError} at the end, if they are not as many as its manifest says. */
export async function* readLines(directory: string, { path, lines }: BackupFile): AsyncGenerator<string> {
  let count = 0;
  for await (const line of linesOf(join(directory, path))) {
    count += 1;
    yield line;
  }
  if (count !== lines) throw new UserError(`${path} has ${count} lines, but its manifest says ${lines}`);
}

/** @throws {UserError} if there is no backup. */
export async function readManifest(directory: string): Promise<Manifest> {
  const text = await readFile(join(directory, 'manifest.json'), 'utf8').catch((error: Error) => {
    throw new UserError(`${directory} is not a backup: ${error.message}`);
  });
  try {
    return manifest.parse(JSON.parse(text));
  } catch {
    throw new UserError(`${join(directory, 'manifest.json')} is not a manifest that this version can read`);
  }
}

/**
 * Checks every file of a backup against its manifest, the hashes of the log, and the documents.
 * @returns the faults, a line each.
 */
export async function faultsOf(directory: string, stated: Manifest): Promise<string[]> {
  const faults: string[] = [];
  for (const each of [stated.events, ...stated.tables]) {
    const fault = await faultOfFile(directory, each);
    if (fault) faults.push(`${each.path}: ${fault}`);
  }
  if (faults.length > 0) return faults;
  const audit = new LogAudit();
  for await (const line of readLines(directory, stated.events)) {
    const fault = audit.add(exportedEvent.parse(JSON.parse(line)) as RecordedEvent);
    if (fault) faults.push(`${stated.events.path}: line ${audit.events}: ${fault.fault}`);
  }
  if (audit.heads.digest() !== stated.head) faults.push(`${stated.events.path}: its heads are not ${stated.head}`);
  for (const { key, sha256, included } of stated.blobs) {
    if (!included) continue;
    const body = await readFile(join(directory, 'blobs', key)).catch(() => undefined);
    if (body === undefined) faults.push(`blobs/${key}: is missing`);
    else if (digestOf(body) !== sha256) faults.push(`blobs/${key}: was changed`);
  }
  return faults;
}

async function faultOfFile(directory: string, { path, sha256 }: BackupFile): Promise<string | undefined> {
  const digest = createHash('sha256');
  try {
    for await (const chunk of createReadStream(join(directory, path))) digest.update(chunk as Buffer);
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`;
  }
  return digest.digest('hex') === sha256 ? undefined : 'was changed';
}

/** Returns the SHA-256 in lower-case hexadecimal. */
export function digestOf(body: string | Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
