import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { CheckpointOptions } from '../activities/checkpoints.ts';
import type { Settings } from '../contracts/settings.ts';
import { type NoteSigner, noteKeyOf, readNoteSigner } from '../domain/record/signed-note.ts';
import { type Blobs, directoryBlobs } from '../integrations/blobs.ts';
import { UserError } from '../laptop/user-error.ts';
import { bucketBlobs } from './content.ts';

/** Returns how a worker makes checkpoints of the log; undefined without a key. @throws {UserError} if the key is not valid. */
export function checkpointsOf(settings: Settings): CheckpointOptions | undefined {
  const signer = signerOf(settings);
  return signer && { signer, places: placesOf(settings), witnesses: settings.CHECKPOINT_WITNESSES };
}

/** Says whether a process with these settings makes checkpoints. */
export function makesCheckpoints({ CHECKPOINT_KEY, DEPLOYMENT_MODE }: Settings): boolean {
  return CHECKPOINT_KEY !== undefined || DEPLOYMENT_MODE === 'laptop';
}

function signerOf(settings: Settings): NoteSigner | undefined {
  if (!makesCheckpoints(settings)) return undefined;
  const file = join(resolve(settings.HAPAX_HOME), 'checkpoint.key');
  const [from, key] = settings.CHECKPOINT_KEY ? ['CHECKPOINT_KEY', settings.CHECKPOINT_KEY] : [file, keyIn(file)];
  try {
    return readNoteSigner(key);
  } catch (error) {
    throw new UserError(`${from}: ${(error as Error).message}; make one with: hapax audit key NAME`);
  }
}

/** Reads the key of a laptop. Makes one if there is none. */
function keyIn(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const name = `hapax.${hostname().replaceAll(/[\s+]/gu, '-')}`;
    writeFileSync(file, `${noteKeyOf(name, randomBytes(32))}\n`, { mode: 0o600, flag: 'wx', flush: true });
  }
  return readFileSync(file, 'utf8');
}

function placesOf(settings: Settings): Map<string, Blobs> {
  const places = new Map<string, Blobs>();
  const { CHECKPOINT_DIR: directory, CHECKPOINT_BUCKET: bucket } = settings;
  if (directory !== undefined) places.set(`CHECKPOINT_DIR ${directory}`, directoryBlobs(resolve(directory), 'public'));
  if (bucket !== undefined) places.set(`CHECKPOINT_BUCKET ${bucket}`, bucketBlobs(settings, bucket));
  return places;
}
