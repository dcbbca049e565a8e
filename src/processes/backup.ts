import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { readSettings, type Settings } from '../contracts/settings.ts';
import { contentCapabilitiesOf } from '../domain/content/content-capabilities.ts';
import { StreamHeads } from '../domain/record/log-audit.ts';
import type { Blobs } from '../integrations/blobs.ts';
import { UserError } from '../laptop/user-error.ts';
import { lastBuildId } from '../store/builds/build-id-last.ts';
import { type Db, databaseFault, readSnapshot } from '../store/database.ts';
import { listBackupTables } from '../store/installation/backup-table-list.ts';
import { scanTable } from '../store/installation/backup-table-scan.ts';
import { findInstallation } from '../store/installation/installation-find.ts';
import { scanEventsByPosition } from '../store/record/event-scan-by-position.ts';
import { digestOf, faultsOf, type Manifest, readManifest, writeLines } from './backup-files.ts';
import { blobsOf } from './content.ts';
import { openContentStore } from './content-store.ts';
import { withRecord } from './record-database.ts';

/** Runs `hapax backup`: writes a copy of the record for `hapax restore`. */
export async function runBackup(given: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const directory = resolve(given);
  const settings = readSettings(environment, 'backup');
  if (existsSync(directory)) throw new UserError(`${directory} exists; a backup does not overwrite a directory`);
  const draft = `${directory}.part`;
  await rm(draft, { recursive: true, force: true });
  try {
    await mkdir(join(draft, 'tables'), { recursive: true, mode: 0o700 });
    const stated = await withRecord(settings, { role: settings.DATABASE_ROLE, shared: true }, (db) =>
      writeBackup(db, settings, draft),
    );
    await writeFile(join(draft, 'manifest.json'), `${JSON.stringify(stated, null, 2)}\n`, { mode: 0o600, flush: true });
    await rename(draft, directory);
    console.log(`${directory}: ${summaryOf(stated)}`);
    console.log(`head ${stated.head}`);
    const missing = stated.blobs.filter(({ sha256 }) => sha256 === '').length;
    if (missing > 0)
      console.error(`hapax: ${missing} documents are not in the backup, because they are missing in the storage`);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw (error as NodeJS.ErrnoException).syscall === undefined
      ? error
      : new UserError(`cannot write the backup: ${(error as Error).message}`);
  }
}

/**
 * Writes the record, then the documents of its contents. They take their time, and the embedded Postgres serves nobody else during a
 * transaction. A document that is deleted meanwhile, since its content was erased, is missing in the backup.
 */
async function writeBackup(db: Db, settings: Settings, draft: string): Promise<Manifest> {
  const copied = settings.S3_BUCKET ? undefined : blobsOf(settings);
  const { blobKeys, ...record } = await writeRecord(db, settings, draft);
  return { ...record, blobs: await writeBlobs(blobKeys, copied, draft) };
}

/** Reads everything in one snapshot, so that log, tables and heads are from one moment. */
async function writeRecord(
  db: Db,
  settings: Settings,
  draft: string,
): Promise<Omit<Manifest, 'blobs'> & { blobKeys: string[] }> {
  return readSnapshot(db, async (snapshot) => {
    const { id, epoch, reconciled_at, unresolved } = await findInstallation(snapshot);
    const heads = new StreamHeads();
    async function* log() {
      for await (const event of scanEventsByPosition(snapshot)) {
        heads.add(event);
        yield JSON.stringify(event);
      }
    }
    const events = await writeLines(draft, 'events.ndjson', log());
    const tables: Manifest['tables'] = [];
    for (const { name, columns } of await listBackupTables(snapshot)) {
      const written = await writeLines(draft, `tables/${name}.ndjson`, scanTable(snapshot, name));
      tables.push({ name, columns, ...written });
    }
    return {
      format: 1,
      hapax: packageJson.version,
      created_at: new Date().toISOString(),
      // What was not resolved may have ended at any time. The next comparison has to look at all of it.
      installation: { id, epoch, reconciled_at: unresolved > 0 ? null : reconciled_at },
      last_build_id: await lastBuildId(snapshot),
      head: heads.digest(),
      events,
      tables,
      blobKeys: await blobKeysOf(settings, snapshot),
    };
  });
}

/**
 * Lists the keys of documents: as of the snapshot if content is in its database, else as of now.
 * @throws {UserError} if the store is away.
 */
async function blobKeysOf(settings: Settings, snapshot: Db): Promise<string[]> {
  const content = await openContentStore(settings, snapshot);
  const { name, in_record } = contentCapabilitiesOf(content.kind);
  try {
    const keys = await content.listBlobKeys();
    if (!in_record) console.error(`hapax: content in ${name} is not in the backup; back it up too (docs/backup.md)`);
    return keys;
  } catch (error) {
    const fault = databaseFault(error);
    if (in_record || fault?.kind !== 'away') throw error;
    throw new UserError(`${name} cannot be used, and it knows the documents to copy: ${fault.message}`);
  } finally {
    await content.close();
  }
}

/** @param kept where documents are copied from; undefined: they are in a bucket, and stay there. */
async function writeBlobs(keys: string[], kept: Blobs | undefined, draft: string): Promise<Manifest['blobs']> {
  const blobs: Manifest['blobs'] = [];
  for (const key of keys) {
    const body = await kept?.get(key);
    if (body !== undefined) {
      const path = join(draft, 'blobs', key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, body, { mode: 0o600, flush: true });
    }
    // The key of a document contains its digest, so that one in a bucket can be checked too.
    const sha256 = body === undefined ? (kept ? '' : (/[0-9a-f]{64}/.exec(key)?.[0] ?? '')) : digestOf(body);
    blobs.push({ key, sha256, included: body !== undefined });
  }
  return blobs;
}

/** Runs `hapax backup verify`. @throws {UserError} if the backup has a fault. */
export async function verifyBackup(given: string): Promise<void> {
  const directory = resolve(given);
  const stated = await readManifest(directory);
  const faults = await faultsOf(directory, stated);
  for (const fault of faults) console.log(fault);
  if (faults.length > 0) throw new UserError(`${directory}: ${faults.length} faults`);
  console.log(`${directory}: ${summaryOf(stated)}, sound`);
  console.log(`head ${stated.head}`);
}

export function summaryOf({ events, tables, blobs, created_at }: Manifest): string {
  const rows = tables.reduce((sum, { lines }) => sum + lines, 0);
  return `${events.lines} events, ${rows} rows of ${tables.length} tables, ${blobs.length} documents, of ${created_at}`;
}
