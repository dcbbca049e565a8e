import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';

// Set before PGlite is loaded: the optimising compiler of WebAssembly takes memory (800 MB for a second, for one function of
// Postgres) and start-up time (1.1 s of CPU), and does not help short statements. A flag that is set while V8 runs implies no other.
for (const flag of ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
const { PGlite: Postgres } = await import('@electric-sql/pglite');
const { NodeFS } = await import('@electric-sql/pglite/nodefs');
const { vector } = await import('@electric-sql/pglite-pgvector');

/** An open file of Emscripten; a directory has no descriptor. */
interface Stream {
  readonly nfd?: number;
  readonly node: unknown;
}

/** Emscripten's file system on Node ignores fsync. With this class, a commit also survives a power loss. */
class DurableFS extends NodeFS {
  override async init(pg: PGlite, emscripten: Parameters<InstanceType<typeof NodeFS>['init']>[1]) {
    const result = await super.init(pg, emscripten);
    result.emscriptenOpts.preRun?.push((module) => {
      const nodefs = module.FS.filesystems.NODEFS as unknown as {
        stream_ops: { fsync?: (stream: Stream) => number };
        realPath(node: unknown): string;
      };
      nodefs.stream_ops.fsync = (stream) => {
        if (stream.nfd !== undefined) fsyncSync(stream.nfd);
        else syncDirectory(nodefs.realPath(stream.node));
        return 0;
      };
    });
    return result;
  }
}

function syncDirectory(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Opens the database in a directory, or creates one. */
export function openDirectory(directory: string, fsync: boolean): Promise<PGlite> {
  const settings = ['shared_buffers=16MB', 'wal_buffers=1MB', 'max_connections=5'];
  // fdatasync, the default, never reaches the file system. PGlite's own parameters turn fsync off; the last one counts.
  // Measured here: 0.4 ms more per commit.
  if (fsync) settings.push('fsync=on', 'wal_sync_method=fsync');
  const startParams = [...Postgres.defaultStartParams, ...settings.flatMap((setting) => ['-c', setting])];
  const storage: PGliteOptions = fsync ? { fs: new DurableFS(directory) } : { dataDir: directory };
  return Postgres.create({ ...storage, startParams, extensions: { vector } });
}

/**
 * Creates a database in a directory. PGlite copies a new one file by file. It is created elsewhere and then renamed, so it
 * is complete or absent.
 */
export async function createDirectory(directory: string): Promise<void> {
  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(dirname(directory), { recursive: true });
  await (await openDirectory(unfinished, true)).close();
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process may have created it meanwhile.
    if (!existsSync(directory)) throw error;
  }
}

// As a program, this module creates the database. That needs two copies of Postgres, and their memory is freed only when a
// process ends.
if (import.meta.main && process.argv[2]) await createDirectory(process.argv[2]);
